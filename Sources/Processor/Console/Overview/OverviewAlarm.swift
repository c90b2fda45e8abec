import ConfigurationText
import Core

/// Something that does not go away by itself: somebody must act.
struct OverviewAlarm: Hashable, Sendable {
    /// Names it within the page.
    let id: String
    let title: String
    let detail: String
    /// Where to act, if that is in the console.
    var path: String?
    var pathText = ""
    /// What to do, step by step.
    let runbook: String
}

extension OverviewSnapshot {
    /// The most urgent first. Nothing that goes away by itself is among them.
    ///
    /// - Parameters:
    ///   - periods: of the sweeps.
    ///   - partitions: how many there are.
    func alarms(periods: [SweepJob: Duration], partitions: Int, uptime: Duration) -> [OverviewAlarm] {
        var alarms: [OverviewAlarm] = []
        if state.broker == .lost || state.broker == .stalled || state.areStopped {
            alarms.append(
                OverviewAlarm(
                    id: "broker",
                    title: "The broker does not do what commands need.",
                    detail: problems("broker"),
                    runbook: Guides.link("runbook", "the-broker-restarts")
                )
            )
        }
        if state.database == .lost || state.database == .stalled {
            alarms.append(
                OverviewAlarm(
                    id: "database",
                    title: "The database does not do what commands need.",
                    detail: problems("database"),
                    runbook: Guides.link("operations", "the-database-is-unavailable")
                )
            )
        }
        if state.bank == .open {
            alarms.append(
                OverviewAlarm(
                    id: "bank",
                    title: "The bank is unavailable.",
                    detail: "Cause: \(bankCause ?? "see the log"). Commands wait in their queues, nothing is lost.",
                    runbook: Guides.link("runbook", "the-bank-is-down")
                )
            )
        }
        if let reviews, reviews > 0 {
            let count = reviews > OverviewSource.mostReviews ? "More than \(OverviewSource.mostReviews)" : "\(reviews)"
            alarms.append(
                OverviewAlarm(
                    id: "review",
                    title: "\(count) \(reviews == 1 ? "operation needs" : "operations need") manual review.",
                    detail: "No further request to the bank can tell the outcome; the payments wait.",
                    path: ConsoleSection.review.path,
                    pathText: "Review",
                    runbook: Guides.link("runbook", "one-payment-in-manual-review")
                )
            )
        }
        alarms += deadLetterAlarms
        alarms += sweepAlarms(periods, uptime)
        if outboxOldest > Self.outboxPatience {
            alarms.append(
                OverviewAlarm(
                    id: "outbox",
                    title: "The outbox is stuck.",
                    detail: "Its oldest reply waits for \(AgeText.of(outboxOldest)): a reply queue is full, or silent.",
                    runbook: Guides.link("operations", "alerts")
                )
            )
        }
        if let members, members.isEmpty, state.broker == .ok {
            alarms.append(
                OverviewAlarm(
                    id: "members",
                    title: "No processor has signed in.",
                    detail: "Nobody takes commands.",
                    runbook: Guides.link("operations", "nothing-moves")
                )
            )
        }
        return alarms
    }

    /// Dead letters of operations in review are counted there.
    private var deadLetterAlarms: [OverviewAlarm] {
        let others = (deadLetters ?? [:]).filter { $0.key != DeadLetterCode.needsAttention.rawValue }
        let count = others.values.reduce(0, +)
        guard count > 0 else { return [] }
        let codes = others.sorted { ($1.value, $0.key) < ($0.value, $1.key) }.prefix(3)
            .map { "\(CountText.of($0.value)) \($0.key)" }
        let isInvalid = others.keys.contains(DeadLetterCode.invalidCommand.rawValue)
        return [
            OverviewAlarm(
                id: "dead-letters",
                title: "\(CountText.of(count, "dead letter")) \(count == 1 ? "is" : "are") left to do.",
                detail: codes.joined(separator: ", ") + (others.count > 3 ? ", …" : ""),
                path: ConsoleSection.deadLetters.path,
                pathText: "Dead letters",
                runbook: isInvalid
                    ? Guides.link("runbook", "an-upstream-sends-500-invalid-commands")
                    : Guides.link("operations", "dead-letters")
            )
        ]
    }

    /// One that is late by several of its periods.
    private func sweepAlarms(_ periods: [SweepJob: Duration], _ uptime: Duration) -> [OverviewAlarm] {
        guard let runs else { return [] }
        return SweepJob.allCases.compactMap { job in
            let limit = (periods[job] ?? .seconds(3_600)) * 3 + .seconds(60)
            let last = runs.filter { $0.job == job }.compactMap(\.finishedAt).max()
            let age = last.map { $0.duration(to: at) } ?? uptime
            // A processor that has just started has not had the time; a bank that is down keeps the expire sweep waiting.
            guard age > limit, uptime > limit else { return nil }
            return OverviewAlarm(
                id: "sweep-\(job.rawValue)",
                title: "The sweep \(job.rawValue) has stopped.",
                detail: last == nil ? "It has never finished." : "Its last run ended \(AgeText.of(age)) ago.",
                path: ConsoleSection.sweeps.path,
                pathText: "Sweeps",
                runbook: Guides.link("operations", "alerts")
            )
        }
    }

    private func problems(_ word: String) -> String {
        let own = state.problems.filter { $0.contains(word) }
        let sentences = own.isEmpty ? state.problems : own
        return sentences.isEmpty ? "It is not connected." : sentences.prefix(2).joined(separator: "; ") + "."
    }

    /// As of the alert "Outbox stuck".
    static let outboxPatience = Duration.seconds(300)

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
        if eventsWaiting > 0 {
            hints.append("\(CountText.of(eventsWaiting, "event")) in the outbox: a listener is slow.")
        }
        return hints
    }
}
