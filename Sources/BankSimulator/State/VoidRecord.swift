/// The end of one authorization that was not captured.
struct VoidRecord: Equatable, Sendable {
    let id: EffectID
    let authorizationID: EffectID
    let voidedAt: Timestamp
}
