/// Why a dead letter loses the sealed card that it has kept (docs/contract.md#sealed-cards).
package enum SealedCardErasure: String, CaseIterable, Sendable {
    case closed = "the dead letter is closed"
    case completed = "its operation is complete"
    case expired = "its time is over"

    /// What the audit says of it.
    package static let action = "erase"
    package static let result = "erased"
    /// Who acts where nobody has asked for it.
    package static let actor = "retention"

    /// - Parameters:
    ///   - deadLetter: as it is in the store.
    ///   - operation: the one that is the dead letter's own.
    ///   - kept: for how long the store has had it.
    ///   - limit: how long it is kept at most.
    ///   - now: the store's clock.
    /// - Returns: `nil` where it holds none, or is to keep it. One that is being replayed keeps it until that has ended.
    package init?(
        _ deadLetter: DeadLetter,
        operation: Operation?,
        kept: Duration,
        limit: Duration,
        now: Timestamp
    ) {
        let deadLetter = deadLetter.seen(at: now)
        guard deadLetter.content.sealedCard != nil, deadLetter.state != .replaying else { return nil }
        if deadLetter.state.isClosed {
            self = .closed
        } else if operation?.state.isFinal == true {
            self = .completed
        } else if kept > limit {
            self = .expired
        } else {
            return nil
        }
    }
}
