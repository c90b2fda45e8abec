import Core
import CoreMetrics
import Synchronization

/// The processor's instruments (docs/contract.md#metrics), all made at once, so that each is there with 0 before
/// anything has happened. No label holds an id.
struct ProcessorMetrics: Sendable {
    /// Where they are kept.
    let registry: PrometheusRegistry
    private let commands: [OperationKind: [CommandOutcome: Counter]]
    private let durations: [OperationKind: Timer]
    private let bankCalls: [OperationKind: [BankCallVerdict: Counter]]
    private let bankDurations: [OperationKind: Timer]
    private let errors: BoundedCounters
    private let deferrals: BoundedCounters
    private let openOperations: [OperationKind: Meter]
    private let retryDepths: [RetryTier: Meter]
    private let queueDepth: @Sendable (String) -> Meter
    private let sweepRuns: [SweepJob: [SweepRunEnd: Counter]]
    private let sweepRows: [SweepJob: [SweepRowEnd: Counter]]

    /// Messages that do not tell what they ask for, or whose sender cannot be notified.
    private let unanswerable: Counter
    let deadLettersOpen: Meter
    let repliesUndeliverable: Counter
    let repliesPostponed: Counter
    let eventsPostponed: Counter
    private let events: Meter
    let possibleOrphans: Counter
    let storeRegressions: Counter
    let needsAttention: Counter
    let logLinesDropped: Counter
    /// The last hour of what `commands` counts.
    let rates = CommandRates()
    private let breaker: Meter
    private let partitions: Meter
    private let oldest: Meter
    private let oldestWaiting: [QueueAge: Meter]

    init(registry: PrometheusRegistry) {
        self.registry = registry
        for name in Name.allCases { registry.describe(name.rawValue, as: name.help) }
        func counter(_ name: Name, _ dimensions: [(String, String)] = []) -> Counter {
            Counter(label: name.rawValue, dimensions: dimensions, factory: registry)
        }
        func meter(_ name: Name, _ dimensions: [(String, String)] = []) -> Meter {
            Meter(label: name.rawValue, dimensions: dimensions, factory: registry)
        }
        func perKind<Value>(_ make: ([(String, String)]) -> Value) -> [OperationKind: Value] {
            OperationKind.allCases.reduce(into: [:]) { $0[$1] = make([("operation", $1.rawValue)]) }
        }
        commands = perKind { operation in
            CommandOutcome.allCases.reduce(into: [:]) { outcomes, outcome in
                outcomes[outcome] = counter(.commands, operation + [("outcome", outcome.rawValue)])
            }
        }
        let unknown = [("operation", "unknown"), ("outcome", CommandOutcome.deadLettered.rawValue)]
        unanswerable = counter(.commands, unknown)
        durations = perKind { Timer(label: Name.duration.rawValue, dimensions: $0, factory: registry) }
        bankCalls = perKind { operation in
            BankCallVerdict.allCases.reduce(into: [:]) { verdicts, verdict in
                verdicts[verdict] = counter(.bankCalls, operation + [("verdict", verdict.rawValue)])
            }
        }
        bankDurations = perKind { Timer(label: Name.bankDuration.rawValue, dimensions: $0, factory: registry) }
        errors = BoundedCounters(limit: 40) { known, code in
            Counter(
                label: Name.errors.rawValue,
                dimensions: [("operation", known[0]), ("outcome", known[1]), ("error_code", code)],
                factory: registry
            )
        }
        deferrals = BoundedCounters(limit: 40) { known, reason in
            Counter(
                label: Name.deferred.rawValue,
                dimensions: [("operation", known[0]), ("reason", reason)],
                factory: registry
            )
        }
        for operation in OperationKind.allCases {
            let known = [("operation", operation.rawValue)]
            let rest = BoundedCounters.rest
            _ = counter(.errors, known + [("outcome", CommandOutcome.declined.rawValue), ("error_code", rest)])
            _ = counter(.deferred, known + [("reason", rest)])
        }
        queueDepth = { Meter(label: Name.queueDepth.rawValue, dimensions: [("queue", $0)], factory: registry) }
        _ = queueDepth(QueueDepths.replies)
        openOperations = perKind { meter(.openOperations, $0) }
        retryDepths = RetryTier.allCases.reduce(into: [:]) { $0[$1] = meter(.retryDepth, [("tier", $1.rawValue)]) }
        func perJob<End: Hashable & CaseIterable & RawRepresentable>(
            _ name: Name,
            _ label: String
        ) -> [SweepJob: [End: Counter]] where End.RawValue == String {
            SweepJob.allCases.reduce(into: [:]) { jobs, job in
                jobs[job] = End.allCases.reduce(into: [:]) { ends, end in
                    ends[end] = counter(name, [("job", job.rawValue), (label, end.rawValue)])
                }
            }
        }
        sweepRuns = perJob(.sweepRuns, "outcome")
        sweepRows = perJob(.sweepRows, "outcome")
        deadLettersOpen = meter(.deadLettersOpen)
        breaker = meter(.breakerOpen)
        partitions = meter(.partitionsOwned)
        repliesUndeliverable = counter(.repliesUndeliverable)
        repliesPostponed = counter(.repliesPostponed)
        eventsPostponed = counter(.eventsPostponed)
        events = meter(.eventsWaiting)
        possibleOrphans = counter(.possibleOrphans)
        storeRegressions = counter(.storeRegressions)
        needsAttention = counter(.needsAttention)
        logLinesDropped = counter(.logLinesDropped)
        oldest = meter(.outboxOldest)
        oldestWaiting = QueueAge.allCases.reduce(into: [:]) { $0[$1] = meter(.queueOldest, [("queue", $1.rawValue)]) }
    }

    func countCommand(_ kind: OperationKind, _ outcome: CommandOutcome) {
        commands[kind]?[outcome]?.increment()
        rates.note(outcome)
    }

    func recordDuration(_ kind: OperationKind, _ duration: Duration) {
        durations[kind]?.recordNanoseconds(duration.microseconds.multipliedReportingOverflow(by: 1_000).partialValue)
    }

    /// One that tells neither what it asks for nor whom to notify.
    func countUnanswerable() {
        unanswerable.increment()
        rates.note(.deadLettered)
    }

    /// - Parameter code: of the reply or the dead letter.
    func countError(_ kind: OperationKind, _ outcome: CommandOutcome, _ code: String) {
        errors.increment([kind.rawValue, outcome.rawValue], code)
    }

    func countDeferral(_ kind: OperationKind, _ reason: String) {
        deferrals.increment([kind.rawValue], reason)
    }

    func recordBankCall(_ kind: OperationKind, _ duration: Duration) {
        bankDurations[kind]?.recordNanoseconds(
            duration.microseconds.multipliedReportingOverflow(by: 1_000).partialValue
        )
    }

    func setQueueDepth(_ queue: String, _ count: Int) { queueDepth(queue).set(count) }

    func countBankCall(_ kind: OperationKind, _ verdict: BankCallVerdict) {
        bankCalls[kind]?[verdict]?.increment()
    }

    func countSweep(_ job: SweepJob, _ end: SweepRunEnd) { sweepRuns[job]?[end]?.increment() }

    func countSwept(_ job: SweepJob, _ report: SweepReport) {
        sweepRows[job]?[.resolved]?.increment(by: report.resolved)
        sweepRows[job]?[.needsAttention]?.increment(by: report.needsAttention)
        sweepRows[job]?[.waiting]?.increment(by: report.waiting)
    }

    func setOpenOperations(_ kind: OperationKind, _ count: Int) { openOperations[kind]?.set(count) }

    func setRetryDepth(_ tier: RetryTier, _ count: Int) { retryDepths[tier]?.set(count) }

    func setPartitionsOwned(_ count: Int) { partitions.set(count) }

    func setBreakerOpen(_ isOpen: Bool) { breaker.set(isOpen ? 1 : 0) }

    func setOldest(_ ages: QueueAges) {
        for (queue, age) in ages.oldest { oldestWaiting[queue]?.set(Double(age.microseconds) / 1_000_000) }
    }

    func setEventsWaiting(_ count: Int) { events.set(count) }

    /// - Parameter age: of the oldest stored outcome whose reply is not confirmed yet; zero where there is none.
    func setOutboxOldest(_ age: Duration) { oldest.set(Double(age.microseconds) / 1_000_000) }
}

extension ProcessorMetrics {
    enum Name: String, CaseIterable {
        case commands = "payments_commands_total"
        case duration = "payments_command_duration_seconds"
        case bankCalls = "payments_bank_calls_total"
        case bankDuration = "payments_bank_call_duration_seconds"
        case errors = "payments_command_errors_total"
        case deferred = "payments_commands_deferred_total"
        case queueDepth = "payments_queue_depth"
        case openOperations = "payments_operations_open"
        case retryDepth = "payments_retry_depth"
        case deadLettersOpen = "payments_dead_letters_open"
        case breakerOpen = "payments_breaker_open"
        case repliesUndeliverable = "payments_replies_undeliverable_total"
        case repliesPostponed = "payments_replies_postponed_total"
        case eventsPostponed = "payments_events_postponed_total"
        case eventsWaiting = "payments_events_waiting"
        case possibleOrphans = "payments_possible_orphans_total"
        case storeRegressions = "payments_store_regressions_total"
        case needsAttention = "payments_needs_attention_total"
        case logLinesDropped = "payments_log_lines_dropped_total"
        case outboxOldest = "payments_outbox_oldest_seconds"
        case queueOldest = "payments_queue_oldest_seconds"
        case sweepRuns = "payments_sweep_runs_total"
        case sweepRows = "payments_sweep_rows_total"
        case partitionsOwned = "payments_partitions_owned"

        var help: String {
            switch self {
            case .commands: "Deliveries of commands, by how they ended."
            case .duration: "From the arrival of a command to its decided outcome."
            case .bankCalls: "Requests to the bank, by what their answer proved."
            case .bankDuration: "From a request to the bank to its answer, or to its time being over."
            case .errors: "Deliveries of commands that did not succeed, by the code of their error."
            case .deferred: "Deliveries of commands that come again later, by the reason."
            case .queueDepth: "Messages that wait in a queue and are not delivered."
            case .openOperations: "Operations whose outcome is not stored yet."
            case .retryDepth: "Commands waiting on a retry tier."
            case .deadLettersOpen: "Dead letters that nobody has dealt with."
            case .breakerOpen: "1 while the bank counts as down."
            case .repliesUndeliverable: "Replies that no queue took."
            case .repliesPostponed:
                "Replies that their queue did not take or confirm: they come again with their command."
            case .eventsPostponed: "Events that the broker did not take at once: they go by way of the outbox."
            case .eventsWaiting: "Events that wait in the outbox."
            case .possibleOrphans: "Authorizations suspected of having left a second hold at the bank."
            case .storeRegressions:
                "Requests that the bank had executed before, although the database had no record of it."
            case .needsAttention: "Operations handed to manual review."
            case .logLinesDropped: "Log lines that were dropped because the log was not read fast enough."
            case .outboxOldest: "Age of the oldest stored outcome whose reply is not confirmed."
            case .queueOldest: "How long the oldest of what waits has been waiting."
            case .sweepRuns: "Runs of sweeps by this processor, by how they ended."
            case .sweepRows: "Rows that sweeps have checked, by what came of it."
            case .partitionsOwned: "Partitions that are this processor's among all that share them."
            }
        }
    }
}

/// How a run of a sweep ended, as the label `outcome`.
enum SweepRunEnd: String, CaseIterable, Sendable {
    case done, failed
}

/// What came of a row that a sweep has checked, as the label `outcome`.
enum SweepRowEnd: String, CaseIterable, Sendable {
    case resolved, waiting
    case needsAttention = "needs_attention"
}

/// Counters of one name whose labels come from outside, such as the bank's codes: as many as there may be, and one for the rest.
final class BoundedCounters: Sendable {
    static let rest = "other"

    private let limit: Int
    private let make: @Sendable (_ known: [String], _ label: String) -> Counter
    private struct State {
        var labels: Set<String> = []
        var counters: [[String]: Counter] = [:]
    }
    private let state = Mutex(State())

    /// - Parameters:
    ///   - limit: values of the label that comes from outside.
    ///   - make: of the values that are bounded by themselves and of that one.
    init(limit: Int, make: @escaping @Sendable (_ known: [String], _ label: String) -> Counter) {
        self.limit = limit
        self.make = make
    }

    func increment(_ known: [String], _ label: String) {
        state.withLock { state in
            var label = label
            if !state.labels.contains(label) {
                if Self.isCode(label), state.labels.count < limit {
                    state.labels.insert(label)
                } else {
                    label = Self.rest
                }
            }
            let key = known + [label]
            if let counter = state.counters[key] { return counter.increment() }
            let counter = make(known, label)
            state.counters[key] = counter
            counter.increment()
        }
    }

    /// No text, id or number of somebody's.
    private static func isCode(_ text: String) -> Bool {
        (1...48).contains(text.utf8.count)
            && text.utf8.allSatisfy {
                (UInt8(ascii: "a")...UInt8(ascii: "z")).contains($0) || $0 == UInt8(ascii: "_")
                    || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0)
            }
            && text.utf8.count(where: { $0 < UInt8(ascii: "a") && $0 != UInt8(ascii: "_") }) <= 4
    }
}
