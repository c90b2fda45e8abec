/// The money of one capture, given back.
struct RefundRecord: Equatable, Sendable {
    let id: EffectID
    let captureID: EffectID
    /// Cents.
    let amount: Int64
    let refundedAt: Timestamp
}
