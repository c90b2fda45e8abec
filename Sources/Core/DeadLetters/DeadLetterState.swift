/// How far a dead letter got. Raw values are the names in the store and in the listings
/// (docs/contract.md#command-line).
package enum DeadLetterState: String, Sendable, CaseIterable {
    /// Nobody has dealt with it.
    case open
    /// A replay has claimed it, and has not been seen to end. When its lease is over, the dead letter is open again.
    case replaying
    case replayed
    case discarded

    /// Nothing will become of it any more.
    package var isClosed: Bool {
        switch self {
        case .open, .replaying: false
        case .replayed, .discarded: true
        }
    }

    /// Not closed.
    package static let unfinished: Set<DeadLetterState> = [.open, .replaying]

    /// The state machine. A replay that certainly did not happen gives the dead letter back.
    package func mayBecome(_ next: DeadLetterState) -> Bool {
        switch (self, next) {
        case (.open, .replaying), (.open, .discarded), (.replaying, .replaying), (.replaying, .replayed),
            (.replaying, .open):
            true
        default: false
        }
    }
}
