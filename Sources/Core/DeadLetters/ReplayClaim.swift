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
