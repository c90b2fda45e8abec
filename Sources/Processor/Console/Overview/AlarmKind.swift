/// What the overview can be red about. Where ops/prometheus/alerts.yaml has an alert about it, its name is that of the alert, and so are
/// its patience and its runbook: a test compares them.
enum AlarmKind: String, CaseIterable, Sendable {
    // The most urgent first.
    case databaseUnavailable = "database-unavailable"
    case brokerUnavailable = "broker-unavailable"
    case databaseWentBack = "database-went-back"
    case partitionUnattended = "partition-unattended"
    case bankUnavailable = "bank-unavailable"
    case noProgress = "no-progress"
    case outboxStuck = "outbox-stuck"
    case manualReview = "manual-review"
    case deadLetters = "dead-letters"
    case possibleSecondHold = "possible-second-hold"
    case openForLong = "open-for-long"
    case sweepsStopped = "sweeps-stopped"
    case retryTiersFilling = "retry-tiers-filling"
    case eventsStuck = "events-stuck"
    case repliesPostponed = "replies-postponed"
    case repliesUndeliverable = "replies-undeliverable"
    case logNotRead = "log-not-read"

    /// For so long it may go away by itself: `for` of the alert. Until then the page says it without red.
    var patience: Duration {
        switch self {
        case .databaseUnavailable, .brokerUnavailable, .partitionUnattended: .seconds(120)
        case .bankUnavailable, .noProgress: .seconds(300)
        case .retryTiersFilling: .seconds(600)
        case .deadLetters, .eventsStuck: .seconds(900)
        case .databaseWentBack, .outboxStuck, .manualReview, .openForLong, .possibleSecondHold, .sweepsStopped,
            .repliesPostponed, .repliesUndeliverable, .logNotRead:
            .zero
        }
    }

    /// How old the oldest of something may be.
    var limit: Duration? {
        switch self {
        case .outboxStuck: .seconds(300)
        case .openForLong: .seconds(1_800)
        default: nil
        }
    }

    /// The page and the heading that help.
    private var heading: String {
        switch self {
        case .databaseUnavailable: "the-database-is-unavailable"
        case .databaseWentBack: "what-happens-if-it-loses-commits-all-the-same"
        case .brokerUnavailable, .partitionUnattended, .noProgress, .repliesPostponed: "nothing-moves"
        case .bankUnavailable: "the-bank-is-unavailable"
        case .outboxStuck, .retryTiersFilling, .eventsStuck: "alerts"
        case .manualReview: "manual-review"
        case .deadLetters: "dead-letters"
        case .possibleSecondHold: "possible-orphans"
        case .openForLong: "one-payment-does-not-end"
        case .sweepsStopped: "sweeps"
        case .repliesUndeliverable: "a-client-lost-a-reply"
        case .logNotRead: "logs"
        }
    }

    var runbook: String { Guides.link("operations", heading) }

    /// What is counted rather than seen: which counter, and how long after it has grown the alarm stays.
    var counted: (counter: ProcessorMetrics.Name, window: Duration)? {
        switch self {
        case .databaseWentBack: (.storeRegressions, .seconds(3_600))
        case .possibleSecondHold: (.possibleOrphans, .seconds(3_600))
        case .repliesPostponed: (.repliesPostponed, .seconds(900))
        case .repliesUndeliverable: (.repliesUndeliverable, .seconds(900))
        case .logNotRead: (.logLinesDropped, .seconds(900))
        default: nil
        }
    }
}
