package import Core
import Synchronization

/// What happened in one world or in many, counted.
package struct Tally: Sendable {
    package var seeds = 0
    package var steps = 0
    package var virtualTime = Duration.zero
    package var commands = 0
    package var duplicates = 0
    package var crashes = 0
    package var pauses = 0
    package var deploys = 0
    package var outages = 0
    package var connectionLosses = 0
    package var clockJumps = 0
    package var failovers = 0
    package var forgottenRows = 0
    package var regressions = 0
    package var lateAnswers = 0
    package var waits = 0
    package var redeliveries = 0
    package var deferred = 0
    package var replies = 0
    package var returned = 0
    package var deadLetters = 0
    package var sentBack = 0
    package var replays = 0
    package var bankRequests = 0
    package var bankEffects = 0
    package var superseded = 0
    package var provenTakeovers = 0
    package var possibleOrphans = 0
    package var needsAttention = 0
    package var slots = 0
    package var sweeps = 0
    package var resolvedBySweeps = 0
    package var relayed = 0
    package var events = 0
    package var expiries = 0

    package init() {}

    package static func += (left: inout Tally, right: Tally) {
        for path in counters.map(\.path) + [\.steps] { left[keyPath: path] += right[keyPath: path] }
        left.virtualTime += right.virtualTime
    }

    /// All counters but the steps, with a name for a reader.
    package static var counters: [(name: String, path: WritableKeyPath<Tally, Int>)] {
        [
            ("seeds", \.seeds), ("commands", \.commands), ("duplicates", \.duplicates), ("crashes", \.crashes),
            ("pauses", \.pauses), ("deploys", \.deploys), ("outages", \.outages),
            ("connection losses", \.connectionLosses), ("clock jumps", \.clockJumps), ("failovers", \.failovers),
            ("rows forgotten", \.forgottenRows),
            ("regressions noticed", \.regressions), ("late answers", \.lateAnswers), ("waits in line", \.waits),
            ("redeliveries", \.redeliveries), ("parked", \.deferred), ("replies", \.replies), ("returned", \.returned),
            ("dead letters", \.deadLetters), ("sent back", \.sentBack), ("replays", \.replays),
            ("bank requests", \.bankRequests),
            ("bank effects", \.bankEffects), ("superseded", \.superseded),
            ("taken over on proof", \.provenTakeovers), ("possible orphans", \.possibleOrphans),
            ("needs attention", \.needsAttention), ("slots taken", \.slots), ("sweeps finished", \.sweeps),
            ("resolved by sweeps", \.resolvedBySweeps), ("outbox messages", \.relayed), ("events", \.events),
            ("expiries", \.expiries),
        ]
    }
}

/// A tally that many hands count in.
package final class Counting: ProcessorObserver {
    private let tally = Mutex(Tally())

    package init() {}

    package var total: Tally { tally.withLock { $0 } }

    package func add(_ path: any WritableKeyPath<Tally, Int> & Sendable, _ count: Int = 1) {
        tally.withLock { $0[keyPath: path] += count }
    }

    package func observe(_ event: ProcessorEvent) {
        switch event {
        case .superseded: add(\.superseded)
        case .takenOverOnProof: add(\.provenTakeovers)
        case .storeRegressed: add(\.regressions)
        case .handled(_, .deferred(_, let reason, _, _), _) where WaitReason(rawValue: reason) != nil: add(\.waits)
        case .deadLetterSentBack: add(\.sentBack)
        case .swept(_, let report, _): add(\.resolvedBySweeps, report.resolved)
        default: break
        }
    }
}

/// How a seed went.
package struct SeedReport: Sendable {
    package let seed: UInt64
    /// Of everything that happened, in order.
    package let hash: UInt64
    package let faults: FaultPlan
    package let violations: [Violation]
    package let tally: Tally
    /// Empty unless it was asked for.
    package let lines: [Trace.Line]

    /// The lines about one payment, and about what concerns all.
    package func timeline(of payment: String?) -> [Trace.Line] {
        guard let payment else { return lines }
        // The bank knows an operation by its key alone: which keys are this payment's is said where they are claimed.
        let keys = Set(lines.filter { $0.payment == payment }.flatMap { $0.text.bankKeys })
        return lines.filter { line in
            line.payment == payment || line.payment == nil && line.text.bankKeys.allSatisfy(keys.contains)
        }
    }
}

extension String {
    fileprivate var bankKeys: [Substring] {
        split(whereSeparator: { $0 == " " || $0 == ":" || $0 == "," }).filter { $0.hasPrefix("pp1-") }
    }
}
