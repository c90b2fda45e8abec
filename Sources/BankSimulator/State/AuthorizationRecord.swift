/// A hold on an account, forever in the bank's books.
struct AuthorizationRecord: Equatable, Sendable {
    let id: EffectID
    /// Index of the account in the bank's list.
    let account: Int
    /// Cents.
    let amount: Int64
    let createdAt: Timestamp
    let expiresAt: Timestamp
    /// It was captured or voided; the bank tells the two apart no further.
    var isUsed = false
}
