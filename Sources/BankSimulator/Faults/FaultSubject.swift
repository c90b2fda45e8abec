/// What the faults have to know about a request.
struct FaultSubject: Equatable, Sendable {
    /// nil for what is no operation of the bank: `/health` and unknown paths, which only `down` reaches.
    let operation: BankOperation?
    /// A success of it would store an idempotency key: a POST that is not a replay.
    let storesKey: Bool
    /// There was a successful authorization before it.
    var followsAuthorization = false
}
