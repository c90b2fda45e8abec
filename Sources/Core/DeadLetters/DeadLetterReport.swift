/// How an operator's action on a frozen list of dead letters went.
package struct DeadLetterReport: Hashable, Sendable {
    package let selected: Int
    package private(set) var done = 0
    package private(set) var failed = 0
    package private(set) var skipped = 0
    /// Some were skipped that were not as they should be already.
    package private(set) var hasRefusals = false
    /// It stopped before the end of the list: too many failures, or cancelled.
    package var isCutShort = false
    /// A line each, for those that were not done: the first hundred.
    package private(set) var problems: [String] = []
    /// Why dead letters were skipped: the first hundred.
    package private(set) var skips: [Skip] = []
    /// How many were discarded whose operation needs manual review still.
    package private(set) var stillOpen = 0
    /// Those, with what their operation asks for: the first hundred.
    package private(set) var leftOpen: [Left] = []

    package struct Left: Hashable, Sendable {
        package let id: DeadLetterID
        package let command: DeadLetterCommand
    }

    /// A line each, for those.
    package var warnings: [String] { leftOpen.map { "\($0.id): \($0.command.openExplanation)" } }

    package struct Skip: Hashable, Sendable {
        package let id: DeadLetterID
        /// Completes the sentence "<id>: …".
        package let reason: String
    }

    package enum Item: Hashable, Sendable {
        case done
        /// Discarded, with an operation behind it that it has not ended.
        case doneLeaving(DeadLetterCommand)
        case failed(String)
        case skipped(String, isHarmless: Bool)
    }

    /// What became of one of the list.
    package struct Entry: Hashable, Sendable {
        package let id: DeadLetterID
        package let item: Item

        package init(id: DeadLetterID, item: Item) {
            self.id = id
            self.item = item
        }
    }

    package init(selected: Int) {
        self.selected = selected
    }

    /// Of a replay that has gone so far.
    package init(_ counts: ReplayRun.Counts) {
        selected = counts.selected
        done = counts.replayed
        failed = counts.failed
        skipped = counts.skipped
        hasRefusals = counts.refused > 0
    }

    /// Of a replay that has ended, or not yet.
    package init(_ view: ReplayView) {
        self.init(view.run.counts)
        isCutShort = view.run.state != .finished
        for problem in view.problems {
            if problem.result != .failed { skips.append(Skip(id: problem.deadLetter, reason: problem.reason)) }
            if problem.result != .skipped { add("\(problem.deadLetter): \(problem.reason)") }
        }
    }

    /// All that was asked for is so.
    package var isClean: Bool { failed == 0 && !hasRefusals && !isCutShort }

    package mutating func note(_ id: DeadLetterID, _ item: Item) {
        switch item {
        case .done:
            done += 1
        case .doneLeaving(let command):
            done += 1
            stillOpen += 1
            if leftOpen.count < Self.mostLines { leftOpen.append(Left(id: id, command: command)) }
        case .failed(let why):
            failed += 1
            add("\(id): \(why)")
        case .skipped(let why, let isHarmless):
            skipped += 1
            if skips.count < Self.mostLines { skips.append(Skip(id: id, reason: why)) }
            hasRefusals = hasRefusals || !isHarmless
            if !isHarmless { add("\(id): \(why)") }
        }
    }

    private mutating func add(_ problem: String) {
        if problems.count < Self.mostLines { problems.append(problem) }
    }

    private static let mostLines = 100
}

extension DeadLetterReport.Item {
    /// What a replay writes down of it.
    package var replayed: (result: ReplayResult, reason: String?) {
        switch self {
        case .done, .doneLeaving: (.replayed, nil)
        case .failed(let why): (.failed, why)
        case .skipped(let why, let isHarmless): (isHarmless ? .skipped : .refused, why)
        }
    }
}

extension DeadLetterCommand {
    /// Completes the sentence "<id of a dead letter>: …".
    fileprivate var openExplanation: String {
        let payment = paymentID?.description ?? ""
        let key = idempotencyKey?.description ?? ""
        return "its operation is still open: \(kind?.rawValue ?? "operation") \(key) of payment \(payment); "
            + "`processor payments resolve` ends it"
    }
}
