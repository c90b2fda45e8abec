import Core
import Synchronization

/// What a mutant remembers of the claims that passed through it.
final class KnownClaims: Sendable {
    private let claims = Mutex<[OperationID: Claim]>([:])

    func keep(_ claim: Claim) {
        claims.withLock { $0[claim.operation.id] = claim }
    }

    func claim(_ operation: OperationID) -> Claim? { claims.withLock { $0[operation] } }
}
