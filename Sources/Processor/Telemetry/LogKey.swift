import Core
import Logging

/// The keys of log metadata, all in one place. None of them ever holds card data, a body, or a secret.
enum LogKey: String, CaseIterable {
    case paymentID = "payment.id"
    case merchantID = "merchant.id"
    case operation = "operation"
    case operationID = "operation.id"
    case outcome = "outcome"
    case idempotencyKey = "idempotency.key"
    case messageID = "message.id"
    case traceID = "trace.id"
    case duration = "duration_ms"
    case reason = "reason"
    case tier = "tier"
    case verdict = "verdict"
    case replyTo = "reply_to"
    case error = "error"
    case count = "count"
    case deadLetterID = "dead_letter.id"
    case code = "code"
    case job = "job"
    case examined = "examined"
    case resolved = "resolved"
    case waiting = "waiting"
    case needsAttention = "needs_attention"
    case unavailableFor = "unavailable_for"
}

/// Metadata in the making.
struct LogFields {
    private(set) var metadata: Logger.Metadata = [:]

    /// An id, or a word of ours. Left out where there is no value.
    mutating func set(_ key: LogKey, _ value: (some CustomStringConvertible)?) {
        guard let value else { return }
        metadata[key.rawValue] = .string(value.description)
    }

    mutating func set(_ identity: CommandIdentity) {
        set(.paymentID, identity.paymentID)
        set(.merchantID, identity.merchantID)
        set(.operation, identity.kind?.rawValue)
        set(.operationID, identity.operationID)
        set(.idempotencyKey, identity.idempotencyKey)
        set(.messageID, identity.messageID)
        // A route holds a well-formed traceparent or none.
        set(.traceID, identity.traceparent.map(TraceParent.traceID))
    }

    /// A text of others, which may hold a card number.
    mutating func set(_ key: LogKey, foreign value: (some CustomStringConvertible)?) {
        guard let value else { return }
        metadata[key.rawValue] = .string(CardDigits.masked(value.description))
    }
}
