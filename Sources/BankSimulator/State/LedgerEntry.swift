/// One effect, as `GET /ledger` reports it: what the bank really did, whatever it answered.
struct LedgerEntry: Equatable, Sendable {
    let operation: BankOperation
    let id: EffectID
    let authorizationID: EffectID
    /// The capture itself, or the one a refund refers to.
    let captureID: EffectID?
    /// Cents; of a void, the hold it gave back.
    let amount: Int64
    /// Index of the account in the bank's list.
    let account: Int
    let idempotencyKey: String
    let executedAt: Timestamp
}
