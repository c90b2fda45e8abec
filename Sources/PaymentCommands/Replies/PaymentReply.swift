import Core

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
