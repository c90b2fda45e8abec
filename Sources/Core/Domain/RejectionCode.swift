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
