import Core

/// What goes wrong with one call of the store.
package enum StoreFault: Hashable, Sendable {
    /// Not reachable: nothing has happened.
    case unavailable
    /// It refuses this very work.
    case refused
    /// The commit's answer is lost; it happened.
    case lostAfterCommit
    /// The commit's answer is lost; it did not happen.
    case lostBeforeCommit

    package enum Call: Hashable, Sendable, CaseIterable {
        case claim, complete, recordNotified, deadLetters, replays, sweep, outbox
    }

    var happens: Bool { self == .lostAfterCommit }

    var error: StoreError {
        switch self {
        case .unavailable: StoreError(.unavailable, detail: "08006")
        case .refused: StoreError(.refused, detail: "23514")
        case .lostAfterCommit, .lostBeforeCommit:
            StoreError(.unavailable, detail: "08007", outcomeUnknown: true)
        }
    }
}
