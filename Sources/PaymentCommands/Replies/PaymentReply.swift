package import Core

/// What became of a command (docs/contract.md#replies).
public struct PaymentReply: Hashable, Sendable {
    public enum Outcome: String, Hashable, Sendable, CaseIterable {
        case succeeded
        /// The bank said no.
        case declined
        /// The processor said no; the bank was not asked for it.
        case rejected
        /// Not known yet what the bank did; a final reply follows.
        case unknown
    }

    /// Why it was declined or rejected, or is not known yet.
    public struct Problem: Hashable, Sendable, CustomStringConvertible {
        /// One of docs/contract.md#codes, or the bank's own.
        public let code: String
        /// For people.
        public let message: String
        /// Whether the same intent may be sent again: under the same key for `payment_not_found`, `payment_busy` and `deadline_passed`, else
        /// under a new one.
        public let isRetryable: Bool
        /// Whether the bank says so, or the processor.
        public let isFromBank: Bool

        public var description: String { "\(code): \(message)" }
    }

    package let received: ReceivedReply

    package init(_ received: ReceivedReply) {
        self.received = received
    }

    public var outcome: Outcome {
        switch received.outcome {
        case .succeeded: .succeeded
        case .declined: .declined
        case .rejected: .rejected
        case .unknown: .unknown
        }
    }

    /// Nothing else will be said about this key.
    public var isFinal: Bool { received.isFinal }
    /// Whether an earlier delivery of the same command had this outcome.
    public var isReplayed: Bool { received.isReplayed }
    public var operation: PaymentOperation? {
        received.json["operation"]?.string.flatMap(PaymentOperation.init(rawValue:))
    }
    public var paymentID: String? { received.json["payment_id"]?.string }
    public var idempotencyKey: String? { received.json["idempotency_key"]?.string }

    /// `nil` where it succeeded.
    public var problem: Problem? {
        guard let error = received.json["error"], let code = error["code"]?.string else { return nil }
        return Problem(
            code: code,
            message: error["message"]?.string ?? "",
            isRetryable: error["retryable"] == .bool(true),
            isFromBank: error["source"]?.string == "bank"
        )
    }

    /// The payment as it was when the outcome was decided; `nil` where there is none to show.
    public var payment: PaymentSnapshot? { received.json["payment"].flatMap(PaymentSnapshot.init) }

    /// The body as it came: UTF-8 JSON, the same bytes for the same key for ever.
    public var body: [UInt8] { received.body }
}

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

/// A reply as it came (docs/contract.md#replies).
package struct ReceivedReply: Hashable, Sendable {
    package let body: [UInt8]
    package let json: JSONValue
    package let outcome: Reply.Outcome
    /// A final reply follows one that is not.
    package let isFinal: Bool
    /// The answer to an earlier delivery of the same command.
    package let isReplayed: Bool

    /// `nil` for what is not a reply.
    package init?(_ message: Message) {
        guard let json = try? JSONParser.parse(message.body),
            let outcome = json["outcome"]?.string.flatMap(Reply.Outcome.init(rawValue:)),
            case .bool(let isFinal)? = json["final"]
        else { return nil }
        self.json = json
        self.outcome = outcome
        self.isFinal = isFinal
        body = message.body
        isReplayed = message.headers[HeaderName.idempotentReplayed] == .bool(true)
    }

    /// The code of the error, one of docs/contract.md#codes or the bank's.
    package var errorCode: String? { json["error"]?["code"]?.string }
}
