/// A replay as it is stored: what was asked for, and how far it got. Any process may take it up, one at a time.
package struct ReplayRun: Hashable, Sendable {
    package let id: ReplayID
    package let order: ReplayOrder
    package let createdAt: Timestamp
    package let state: State
    /// As reported by now.
    package let counts: Counts
    /// Grows each time that a process takes it up; zero: none has yet.
    package let fencingToken: Int64
    package let finishedAt: Timestamp?
    /// Who asked it to stop.
    package let stoppedBy: String?
    /// Why it has failed.
    package let reason: String?

    /// Raw values are the names in the store and in listings.
    package enum State: String, Sendable, CaseIterable {
        /// It waits for a process, or one is at it.
        case running
        /// It has been at every dead letter of its list.
        case finished
        /// An operator has stopped it.
        case stopped
        /// Too many of its dead letters failed.
        case failed
    }

    package struct Counts: Hashable, Sendable {
        package var selected: Int
        package var replayed = 0
        package var skipped = 0
        /// Of those that were skipped: what was asked for is not so.
        package var refused = 0
        package var failed = 0

        package init(selected: Int) {
            self.selected = selected
        }
    }

    package init(
        id: ReplayID,
        order: ReplayOrder,
        createdAt: Timestamp,
        state: State,
        counts: Counts,
        fencingToken: Int64 = 0,
        finishedAt: Timestamp? = nil,
        stoppedBy: String? = nil,
        reason: String? = nil
    ) {
        self.id = id
        self.order = order
        self.createdAt = createdAt
        self.state = state
        self.counts = counts
        self.fencingToken = fencingToken
        self.finishedAt = finishedAt
        self.stoppedBy = stoppedBy
        self.reason = reason
    }

    package var claim: ReplayClaim { ReplayClaim(replay: id, fencingToken: fencingToken) }
}

/// What an operator asked for.
package struct ReplayOrder: Hashable, Sendable {
    package let requestedBy: String
    /// The filter as it was given, for those who read of it later; `nil` where ids were.
    package let filter: JSONValue?
    package let pace: ReplayPace

    package init(requestedBy: String, filter: JSONValue? = nil, pace: ReplayPace = ReplayPace()) {
        self.requestedBy = requestedBy
        self.filter = filter
        self.pace = pace
    }
}

/// A replay with what was not replayed.
package struct ReplayView: Hashable, Sendable {
    package let run: ReplayRun
    /// The first hundred.
    package let problems: [Problem]

    package struct Problem: Hashable, Sendable {
        package let deadLetter: DeadLetterID
        package let result: ReplayResult
        package let reason: String

        package init(deadLetter: DeadLetterID, result: ReplayResult, reason: String) {
            self.deadLetter = deadLetter
            self.result = result
            self.reason = reason
        }
    }

    package static let mostProblems = 100

    package init(run: ReplayRun, problems: [Problem]) {
        self.run = run
        self.problems = problems
    }
}

/// What became of one dead letter of a replay. Raw values are the names in the store and in listings.
package enum ReplayResult: String, Sendable, CaseIterable {
    case replayed
    /// What was asked for has been so already.
    case skipped
    /// It cannot be replayed.
    case refused
    case failed
}

/// Names a replay. Ours, a UUIDv7.
package struct ReplayID: Hashable, Sendable, CustomStringConvertible {
    package let value: UniqueID

    package init(_ value: UniqueID) {
        self.value = value
    }

    package init?(_ text: String) {
        guard let value = UniqueID(text) else { return nil }
        self.value = value
    }

    package var description: String { value.description }
}

/// Who may publish a dead letter: of two replays at once, one.
package struct ReplayClaim: Hashable, Sendable {
    package let replay: ReplayID
    /// Grows each time that a process takes the replay up: what the one before claimed is not its own.
    package let fencingToken: Int64

    package init(replay: ReplayID, fencingToken: Int64) {
        self.replay = replay
        self.fencingToken = fencingToken
    }

    /// How long a dead letter is claimed for, by the store's clock: longer than it takes to publish it. When that is
    /// over, whoever claimed it is gone, and the dead letter is open again.
    package static let lease = Duration.seconds(60)

    /// No further try is begun this long after the claim: the longest takes what is left of the lease.
    static let lastTry = Duration.seconds(20)
}

/// A claim of one dead letter.
package struct DeadLetterClaim: Hashable, Sendable {
    package let claim: ReplayClaim
    /// By the store's clock.
    package let until: Timestamp

    package init(_ claim: ReplayClaim, until: Timestamp) {
        self.claim = claim
        self.until = until
    }
}

/// How fast a replay goes, and when it gives up.
package struct ReplayPace: Hashable, Sendable {
    /// Dead letters, at most; `nil`: as fast as they are confirmed.
    package let perSecond: Int?
    /// The share of failures, 0 to 1, from which on it goes no further.
    package let failureShare: Double

    /// Fewer dead letters than this say nothing about a share.
    private static let sample = 5

    /// Where nothing else is asked for.
    package static let usualFailureShare = 0.2
    package static let rates = 1...100_000

    package init(perSecond: Int? = nil, failureShare: Double = usualFailureShare) {
        self.perSecond = perSecond
        self.failureShare = failureShare
    }

    /// Between the starts of two dead letters.
    var interval: Duration? { perSecond.map { .seconds(1) / $0 } }

    func stops(_ report: DeadLetterReport) -> Bool {
        let attempted = report.done + report.failed
        return attempted >= Self.sample && report.failed > 0
            && Double(report.failed) >= failureShare * Double(attempted)
    }
}

/// Replays as rows: they outlive whoever asked for them. Each call is one transaction.
package protocol ReplayStore: Sendable {
    /// - Parameter ids: frozen, each once. Of none the replay is finished at once.
    func createReplay(
        _ id: ReplayID,
        _ order: ReplayOrder,
        of ids: [DeadLetterID]
    ) async throws(StoreError) -> ReplayRun

    /// Newest first.
    func replays(limit: Int) async throws(StoreError) -> [ReplayRun]

    func replay(_ id: ReplayID) async throws(StoreError) -> ReplayRun?

    /// With its problems.
    func replayView(_ id: ReplayID) async throws(StoreError) -> ReplayView?

    /// Takes up one that nobody is at, under a new fencing token and a lease on the store's clock: the oldest, or the
    /// one that is named.
    func takeReplay(_ id: ReplayID?) async throws(StoreError) -> ReplayRun?

    /// What is left of its list, in order.
    func remainingDeadLetters(
        of id: ReplayID,
        after position: Int,
        limit: Int
    ) async throws(StoreError) -> [ReplayPosition]

    /// Writes down what became of a dead letter, once, and makes the lease last longer.
    func note(_ claim: ReplayClaim, _ entry: DeadLetterReport.Entry?) async throws(StoreError) -> ReplayNote

    /// Ends it; `nil`: gives it back, for another process to take up. Does nothing where another one has taken it up.
    func endReplay(
        _ claim: ReplayClaim,
        _ state: ReplayRun.State?,
        reason: String?
    ) async throws(StoreError)

    /// Asks it to stop: at once where nobody is at it, else before its next dead letter.
    ///
    /// - Returns: as it is then; `nil` where there is no such replay.
    func stopReplay(_ id: ReplayID, by actor: String) async throws(StoreError) -> ReplayRun?

    /// Stops it, but only where no process has taken it up so far.
    ///
    /// - Returns: whether nothing will become of it.
    func withdrawReplay(_ id: ReplayID, reason: String) async throws(StoreError) -> Bool
}

/// A place in the list of a replay.
package struct ReplayPosition: Hashable, Sendable {
    package let position: Int
    package let deadLetter: DeadLetterID

    package init(position: Int, deadLetter: DeadLetterID) {
        self.position = position
        self.deadLetter = deadLetter
    }
}

/// What a process that runs a replay does next.
package enum ReplayNote: Hashable, Sendable {
    case goOn
    /// An operator has asked for it.
    case stop
    /// Another process has taken it up.
    case superseded
}

extension ReplayClaim {
    /// How long a process has a replay for, without another word from it.
    package static let runLease = Duration.seconds(30)
}
