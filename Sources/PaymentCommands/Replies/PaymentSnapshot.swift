import Core

/// A payment as a reply or an event shows it. Instants are RFC 3339 texts, UTC, with microseconds; those of the bank where it gave one.
public struct PaymentSnapshot: Hashable, Sendable {
    public let id: String
    public let merchantID: String
    public let orderID: String
    public let customerID: String
    /// In minor units.
    public let amount: Int64
    public let currency: String
    /// `PENDING`, `AUTHORIZED`, `CAPTURING`, `CAPTURED`, `VOIDING`, `VOIDED`, `REFUNDING`, `REFUNDED`, `FAILED` or `EXPIRED`
    /// (docs/correctness.md#states).
    public let status: String
    public let createdAt: String
    public let authorizedAt: String?
    /// When the bank's hold ends.
    public let expiresAt: String?
    public let capturedAt: String?
    public let voidedAt: String?
    public let refundedAt: String?
    /// The bank's ids.
    public let authorizationID: String?
    public let captureID: String?
    public let voidID: String?
    public let refundID: String?

    init?(_ json: JSONValue) {
        func text(_ name: String) -> String? { json[name]?.string }
        func bankID(_ name: String) -> String? { json["bank"]?[name]?.string }
        guard let id = text("id"), let merchantID = text("merchant_id"), let orderID = text("order_id"),
            let customerID = text("customer_id"), let amount = json["amount"]?.integer, let currency = text("currency"),
            let status = text("status"), let createdAt = text("created_at")
        else { return nil }
        self.id = id
        self.merchantID = merchantID
        self.orderID = orderID
        self.customerID = customerID
        self.amount = amount
        self.currency = currency
        self.status = status
        self.createdAt = createdAt
        authorizedAt = text("authorized_at")
        expiresAt = text("expires_at")
        capturedAt = text("captured_at")
        voidedAt = text("voided_at")
        refundedAt = text("refunded_at")
        authorizationID = bankID("authorization_id")
        captureID = bankID("capture_id")
        voidID = bankID("void_id")
        refundID = bankID("refund_id")
    }
}
