/// The money of one authorization, taken.
struct CaptureRecord: Equatable, Sendable {
    let id: EffectID
    let authorizationID: EffectID
    /// Index of the account in the bank's list.
    let account: Int
    /// Cents.
    let amount: Int64
    let capturedAt: Timestamp
    var isRefunded = false
}
