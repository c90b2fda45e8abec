/// The names of the headers, in one place (contract.md §2 and §3).
package enum HeaderName {
    package static let paymentID = "payment-id"
    package static let idempotencyKey = "idempotency-key"
    package static let merchantID = "merchant-id"
    package static let deadline = "deadline"
    package static let traceparent = "traceparent"
    package static let idempotentReplayed = "idempotent-replayed"
    package static let errorCode = "error-code"
    package static let errorMessage = "error-message"

    /// Ours, on a parked copy: since when, in microseconds since the epoch, it has been waiting for another command of its
    /// payment (trap P5).
    package static let waitingSince = "waiting-since"

    /// Ours, on a parked copy: how often it was parked because its outcome is not known.
    package static let parks = "parks"
}
