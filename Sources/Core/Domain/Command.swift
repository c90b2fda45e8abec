import Crypto

/// A decoded and valid command. One object on its way from the decoder to the acknowledgement.
package final class Command: Hashable, Sendable {
    package let paymentID: PaymentID
    package let merchantID: MerchantID
    package let idempotencyKey: IdempotencyKey
    package let messageID: String
    package let parameters: CommandParameters
    /// Not sent to the bank after this instant.
    package let deadline: Timestamp?
    package let route: ReplyRoute

    package init(
        paymentID: PaymentID,
        merchantID: MerchantID = .default,
        idempotencyKey: IdempotencyKey,
        messageID: String,
        parameters: CommandParameters,
        deadline: Timestamp? = nil,
        route: ReplyRoute = ReplyRoute()
    ) {
        self.paymentID = paymentID
        self.merchantID = merchantID
        self.idempotencyKey = idempotencyKey
        self.messageID = messageID
        self.parameters = parameters
        self.deadline = deadline
        self.route = route
    }

    package static func == (left: Command, right: Command) -> Bool {
        left === right
            || left.paymentID == right.paymentID && left.merchantID == right.merchantID
                && left.idempotencyKey == right.idempotencyKey && left.messageID == right.messageID
                && left.parameters == right.parameters && left.deadline == right.deadline && left.route == right.route
    }

    package func hash(into hasher: inout Hasher) {
        hasher.combine(paymentID)
        hasher.combine(idempotencyKey)
    }

    /// What the bank knows its operation by.
    package var bankKey: String {
        BankKey.derived(
            merchantID: merchantID,
            idempotencyKey: idempotencyKey,
            kind: kind,
            paymentID: paymentID
        )
    }

    package var kind: OperationKind {
        switch parameters {
        case .authorize: .authorize
        case .capture: .capture
        case .void: .void
        case .refund: .refund
        }
    }
}

/// What each operation needs. An amount of a capture or refund may be left out: the bank takes full amounts only.
package enum CommandParameters: Hashable, Sendable {
    case authorize(AuthorizeParameters)
    case capture(amount: Int64?)
    case void
    case refund(amount: Int64?)

    /// Minor units, where the command names them.
    package var statedAmount: Int64? {
        switch self {
        case .authorize(let parameters): parameters.amount.minorUnits
        case .capture(let amount), .refund(let amount): amount
        case .void: nil
        }
    }
}

package struct AuthorizeParameters: Hashable, Sendable {
    /// 1–128 Unicode scalars.
    package let orderID: String
    /// 1–128 Unicode scalars.
    package let customerID: String
    package let amount: Money
    package let card: CardDetails

    package init(orderID: String, customerID: String, amount: Money, card: CardDetails) {
        self.orderID = orderID
        self.customerID = customerID
        self.amount = amount
        self.card = card
    }

    /// Byte by byte, as the fingerprint sees them: what Unicode calls equivalent is not the same.
    package static func == (left: AuthorizeParameters, right: AuthorizeParameters) -> Bool {
        left.orderID.utf8.elementsEqual(right.orderID.utf8) && left.customerID.utf8.elementsEqual(right.customerID.utf8)
            && left.amount == right.amount && left.card == right.card
    }
}

/// Why we say no, or cannot say yet: the processor's own codes (docs/contract.md#codes).
package enum RejectionCode: String, Sendable, CaseIterable {
    case invalidCommand = "invalid_command"
    case idempotencyKeyReused = "idempotency_key_reused"
    case paymentExists = "payment_exists"
    case paymentNotFound = "payment_not_found"
    case invalidTransition = "invalid_transition"
    case amountMismatch = "amount_mismatch"
    case paymentBusy = "payment_busy"
    case deadlinePassed = "deadline_passed"
    case unknownOutcome = "unknown_outcome"

    /// Whether the same intent may be sent again: under the same key, since none of these is stored.
    package var isRetryable: Bool {
        switch self {
        case .paymentNotFound, .paymentBusy, .deadlinePassed: true
        case .invalidCommand, .idempotencyKeyReused, .paymentExists, .invalidTransition, .amountMismatch,
            .unknownOutcome:
            false
        }
    }

    /// One sentence for whoever reads the reply. Part of stored bodies: a change applies to new operations only.
    package var explanation: String {
        switch self {
        case .invalidCommand: "the command is not valid"
        case .idempotencyKeyReused: "this idempotency key belongs to a command with other parameters; use a new key"
        case .paymentExists: "this payment id belongs to an earlier authorize; use a new payment id"
        case .paymentNotFound: "there is no such payment; if its authorize was sent, wait for it and send this again"
        case .invalidTransition: "the payment is not in a state that allows this operation"
        case .amountMismatch: "the amount must be the whole amount of the payment"
        case .paymentBusy: "another operation held the payment for too long; send this again later"
        case .deadlinePassed: "the deadline passed before the command was sent to the bank"
        case .unknownOutcome: "it is not known yet what the bank did; a final reply follows"
        }
    }
}

/// Where the replies of a command go, and what they carry along.
package struct ReplyRoute: Hashable, Sendable {
    /// A queue reached through the default exchange; `nil` is the default reply queue.
    package let replyTo: String?
    /// The command's `correlation_id`, byte for byte, or its `message_id` where it had none.
    package let correlationID: CorrelationID?
    /// W3C trace context, well-formed or absent.
    package let traceparent: String?
    /// Whether the command named a queue that is not allowed, so that its replies go to the default one.
    package let isReplyToIgnored: Bool

    package init(
        replyTo: String? = nil,
        correlationID: CorrelationID? = nil,
        traceparent: String? = nil,
        isReplyToIgnored: Bool = false
    ) {
        self.replyTo = replyTo
        self.isReplyToIgnored = isReplyToIgnored
        self.correlationID = correlationID
        self.traceparent = traceparent
    }

    /// The same for every message that is answered at one place: a digest of reply queue and correlation id.
    package var addressDigest: [UInt8] {
        var hash = SHA256()
        for part in [replyTo.map { Array($0.utf8) }, correlationID?.bytes] {
            hash.update(data: Array((part.map { "\($0.count):" } ?? "-").utf8) + (part ?? []))
        }
        return Array(hash.finalize())
    }

    /// Of an operation that nobody has asked us for. No command has this address: it is none that `ReplyAddress` allows.
    package static let nobody = ReplyRoute(replyTo: "")

    /// The address in a dead letter of such an operation: an allowed one, of a queue that nobody has declared, so that the reply to its
    /// replay surprises nobody and is recorded as undeliverable.
    package static let nobodysQueue = "replies.nobody"

    package var isNobody: Bool { replyTo?.isEmpty ?? false }
}

/// What the sender of a command recognizes its reply by: any bytes, since AMQP does not say that they are text.
package struct CorrelationID: Hashable, Sendable {
    private enum Form: Hashable, Sendable {
        case text(String)
        /// Not UTF-8.
        case bytes([UInt8])
    }

    private let form: Form

    package init(_ text: String) {
        form = .text(text)
    }

    package init(bytes: [UInt8]) {
        form = String(validating: bytes, as: UTF8.self).map(Form.text) ?? .bytes(bytes)
    }

    /// `nil` where it is not UTF-8.
    package var text: String? {
        guard case .text(let text) = form else { return nil }
        return text
    }

    package var bytes: [UInt8] {
        switch form {
        case .text(let text): Array(text.utf8)
        case .bytes(let bytes): bytes
        }
    }
}

extension CorrelationID: ExpressibleByStringInterpolation {
    package init(stringLiteral text: String) {
        self.init(text)
    }
}

extension CorrelationID: CustomStringConvertible {
    /// The text, or the bytes as `0x…`.
    package var description: String {
        switch form {
        case .text(let text): text
        case .bytes(let bytes): "0x" + Hex.text(of: bytes)
        }
    }
}
