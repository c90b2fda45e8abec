import ConfigurationText
import Core

/// Something that does not go away by itself: somebody must act, now or if it lasts.
struct OverviewAlarm: Hashable, Sendable {
    let kind: AlarmKind
    /// Names it within the page.
    let id: String
    let title: String
    let detail: String
    /// Where to act, if that is in the console.
    let path: String?
    let pathText: String
    /// What to do, step by step.
    let runbook: String
    /// Whether it has lasted for as long as it may; before, it is said without red.
    let isDue: Bool

    init(
        _ kind: AlarmKind,
        _ title: String,
        _ detail: String,
        of part: String? = nil,
        path: String? = nil,
        pathText: String = "",
        isDue: Bool
    ) {
        self.kind = kind
        id = part.map { "\(kind.rawValue)-\($0)" } ?? kind.rawValue
        (self.title, self.detail, self.path, self.pathText) = (title, detail, path, pathText)
        runbook = kind.runbook
        self.isDue = isDue
    }
}

/// Finds what is wrong in a snapshot.
struct OverviewAlarms {
    let snapshot: OverviewSnapshot
    let memory: AlarmMemory
    let partitions: Int
    /// Of the sweeps.
    let periods: [SweepJob: Duration]
    let uptime: Duration

    init(
        _ snapshot: OverviewSnapshot,
        _ memory: AlarmMemory,
        partitions: Int,
        periods: [SweepJob: Duration],
        uptime: Duration
    ) {
        self.snapshot = snapshot
        self.memory = memory
        self.partitions = partitions
        self.periods = periods
        self.uptime = uptime
    }

    init(_ snapshot: OverviewSnapshot, _ parts: ConsoleParts) {
        self.init(
            snapshot,
            parts.alarms,
            partitions: parts.partitions,
            periods: parts.sweeps.periods,
            uptime: parts.metrics.rates.age
        )
    }

    /// The most urgent first.
    var all: [OverviewAlarm] { AlarmKind.allCases.flatMap(alarms) }

    private func alarms(_ kind: AlarmKind) -> [OverviewAlarm] {
        switch kind {
        case .manualReview: reviews
        case .outboxStuck, .openForLong: tooOld(kind)
        case .sweepsStopped: sweeps
        case .databaseWentBack, .possibleSecondHold, .repliesPostponed, .repliesUndeliverable, .logNotRead:
            counted(kind)
        case .databaseUnavailable, .brokerUnavailable, .partitionUnattended, .bankUnavailable, .noProgress,
            .deadLetters,
            .retryTiersFilling, .eventsStuck:
            lasting(kind)
        }
    }

    // MARK: What has a certain age

    private func lasting(_ kind: AlarmKind) -> [OverviewAlarm] {
        guard snapshot.conditions(partitions: partitions, memory)[kind] == true, let words = words(kind) else {
            return []
        }
        let (title, detail) = words
        let path: (String, String)? = kind == .deadLetters ? (ConsoleSection.deadLetters.path, "Dead letters") : nil
        return [
            OverviewAlarm(
                kind,
                title,
                detail,
                path: path?.0,
                pathText: path?.1 ?? "",
                isDue: age(kind) >= kind.patience
            )
        ]
    }

    /// What the database knows outlives a processor that has just been started.
    private func age(_ kind: AlarmKind) -> Duration {
        let seen = memory.age(of: kind, at: snapshot.at) ?? .zero
        switch kind {
        case .deadLetters: return max(seen, snapshot.oldest[QueueAge.deadLetters.rawValue] ?? .zero)
        default: return seen
        }
    }

    private func words(_ kind: AlarmKind) -> (title: String, detail: String)? {
        let since = AgeText.of(age(kind))
        switch kind {
        case .databaseUnavailable:
            return ("The database does not do what commands need.", problems("database"))
        case .brokerUnavailable:
            return ("The broker does not do what commands need.", problems("broker"))
        case .bankUnavailable:
            let cause = snapshot.bankCause ?? "see the log"
            return (
                "The bank is unavailable.",
                "For \(since). Cause: \(cause). Commands wait in their queues, nothing is lost."
            )
        case .partitionUnattended:
            let unattended = snapshot.unattended(partitions) ?? []
            let names = unattended.map(String.init).joined(separator: ", ")
            return (
                unattended.count == 1 ? "Nobody reads partition \(names)." : "Nobody reads the partitions \(names).",
                "For \(since). Commands of their payments wait."
            )
        case .noProgress:
            return (
                "No progress.",
                "Commands wait in the partitions of this processor, the bank is there, and none has ended."
            )
        case .deadLetters: return deadLetters
        case .retryTiersFilling:
            let count = CountText.of(snapshot.retryDepths.values.reduce(0, +))
            return ("The retry tiers are filling.", "\(count) commands are deferred, more than usual for \(since).")
        case .eventsStuck:
            return (
                "Events wait in the outbox.",
                "\(CountText.of(snapshot.eventsWaiting, "event")), some for \(since): a queue of a listener is full, or silent."
            )
        default: return nil
        }
    }

    /// Dead letters of operations in review are counted there.
    private var deadLetters: (title: String, detail: String)? {
        let others = (snapshot.deadLetters ?? [:]).filter { $0.key != DeadLetterCode.needsAttention.rawValue }
        let count = others.values.reduce(0, +)
        guard count > 0 else { return nil }
        let codes = others.sorted { ($1.value, $0.key) < ($0.value, $1.key) }.prefix(3)
            .map { "\(CountText.of($0.value)) \($0.key)" }
        return (
            "\(CountText.of(count, "dead letter")) \(count == 1 ? "is" : "are") left to do.",
            codes.joined(separator: ", ") + (others.count > 3 ? ", …" : "")
        )
    }

    private func problems(_ word: String) -> String {
        let own = snapshot.state.problems.filter { $0.contains(word) }
        let sentences = own.isEmpty ? snapshot.state.problems : own
        return sentences.isEmpty ? "It is not connected." : sentences.prefix(2).joined(separator: "; ") + "."
    }

    // MARK: What is so at once

    private var reviews: [OverviewAlarm] {
        guard let reviews = snapshot.reviews, reviews > 0 else { return [] }
        let count = reviews > OverviewSource.mostReviews ? "More than \(OverviewSource.mostReviews)" : "\(reviews)"
        return [
            OverviewAlarm(
                .manualReview,
                "\(count) \(reviews == 1 ? "operation needs" : "operations need") manual review.",
                "No further request to the bank can tell the outcome; the payments wait.",
                path: ConsoleSection.review.path,
                pathText: "Review",
                isDue: true
            )
        ]
    }

    /// Where something has waited for longer than it may.
    private func tooOld(_ kind: AlarmKind) -> [OverviewAlarm] {
        guard snapshot.isTooOld(kind) else { return [] }
        let age = AgeText.of(snapshot.oldestAge(kind))
        let words =
            kind == .outboxStuck
            ? ("The outbox is stuck.", "Its oldest reply waits for \(age): a reply queue is full, or silent.")
            : ("Operations stay open.", "The oldest has had no stored outcome for \(age).")
        return [OverviewAlarm(kind, words.0, words.1, isDue: true)]
    }

    /// One that is late by several of its periods.
    private var sweeps: [OverviewAlarm] {
        guard let runs = snapshot.runs else { return [] }
        return SweepJob.allCases.compactMap { job in
            let limit = (periods[job] ?? .seconds(3_600)) * 3 + .seconds(60)
            let last = runs.filter { $0.job == job }.compactMap(\.finishedAt).max()
            let age = last.map { $0.duration(to: snapshot.at) } ?? uptime
            // A processor that has just started has not had the time; a bank that is down keeps the expire sweep waiting.
            // Of a full list nothing tells what was before it.
            guard age > limit, uptime > limit, last != nil || runs.count < OverviewSource.mostRuns else { return nil }
            return OverviewAlarm(
                .sweepsStopped,
                "The sweep \(job.rawValue) has stopped.",
                last == nil ? "It has never finished." : "Its last run ended \(AgeText.of(age)) ago.",
                of: job.rawValue,
                path: ConsoleSection.sweeps.path,
                pathText: "Sweeps",
                isDue: true
            )
        }
    }

    /// Where a counter of this processor has grown lately.
    private func counted(_ kind: AlarmKind) -> [OverviewAlarm] {
        guard let (counter, window) = kind.counted,
            let age = memory.growth(of: counter.rawValue, at: snapshot.at), age <= window
        else { return [] }
        let ago = "\(AgeText.of(age)) ago, as this processor has seen"
        let alarm: (title: String, detail: String, path: String?, pathText: String)? =
            switch kind {
            case .databaseWentBack:
                ("The database went back.", "The bank had executed what it has no record of; last \(ago).", nil, "")
            case .possibleSecondHold:
                (
                    "An authorize may have left a second hold at the bank.", "The last \(ago).",
                    "/console/payments?possible_orphans=true", "Payments"
                )
            case .repliesPostponed:
                ("Replies are postponed.", "A reply queue is full, or confirms nothing; last \(ago).", nil, "")
            case .repliesUndeliverable:
                (
                    "Replies cannot be delivered.",
                    "A client's reply queue is gone; last \(ago). The same key fetches the outcome.", nil, ""
                )
            case .logNotRead: ("The log has gaps.", "Nobody read it in time; last \(ago).", nil, "")
            default: nil
            }
        return alarm.map { alarm in
            [OverviewAlarm(kind, alarm.title, alarm.detail, path: alarm.path, pathText: alarm.pathText, isDue: true)]
        } ?? []
    }
}

extension OverviewSnapshot {
    /// Of the oldest of what the alarm is about.
    func oldestAge(_ kind: AlarmKind) -> Duration {
        kind == .outboxStuck ? outboxOldest : oldest[QueueAge.operations.rawValue] ?? .zero
    }

    func isTooOld(_ kind: AlarmKind) -> Bool { kind.limit.map { oldestAge(kind) > $0 } ?? false }

    /// What is worth a word, and needs nobody: it goes away by itself, or is no trouble yet.
    var hints: [String] {
        var hints: [String] = []
        if state.broker == .connecting || state.database == .connecting { hints.append("The processor is starting.") }
        if state.bank == .halfOpen { hints.append("One command finds out whether the bank is available again.") }
        let isNamed =
            [Readiness.Link.lost, .stalled].contains(state.broker)
            || [Readiness.Link.lost, .stalled].contains(state.database) || state.areStopped
        if !isNamed { hints += state.problems.map { $0.prefix(1).uppercased() + $0.dropFirst() + "." } }
        if let members {
            let versions = Set(members.map(\.version))
            if versions.count > 1 {
                hints.append("Processors of different versions run: \(versions.sorted().joined(separator: ", ")).")
            }
        }
        return hints
    }
}
