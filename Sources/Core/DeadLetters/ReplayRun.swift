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
