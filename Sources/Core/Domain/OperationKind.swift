/// What a command asks for. Raw values are the names on the wire and in the store.
package enum OperationKind: String, Sendable, CaseIterable {
    case authorize, capture, void, refund

    /// The `type` of the command message (docs/contract.md#commands).
    package var commandType: String { "payment.\(rawValue).v1" }

    /// The `type` of its reply (docs/contract.md#replies).
    package var resultType: String { "payment.\(rawValue).result.v1" }

    package init?(commandType: String) {
        switch commandType {
        case "payment.authorize.v1": self = .authorize
        case "payment.capture.v1": self = .capture
        case "payment.void.v1": self = .void
        case "payment.refund.v1": self = .refund
        default: return nil
        }
    }

    /// The state of a payment while an operation of this kind holds it.
    package var inProgress: PaymentStatus {
        switch self {
        case .authorize: .pending
        case .capture: .capturing
        case .void: .voiding
        case .refund: .refunding
        }
    }

    /// The state of a payment for which an operation of this kind succeeded.
    package var succeeded: PaymentStatus {
        switch self {
        case .authorize: .authorized
        case .capture: .captured
        case .void: .voided
        case .refund: .refunded
        }
    }

    /// The states from which an operation of this kind may start (docs/correctness.md#states). An authorize starts a
    /// payment.
    package var origins: Set<PaymentStatus> {
        switch self {
        case .authorize: []
        case .capture: [.authorized]
        case .void: [.authorized, .expired]
        case .refund: [.captured]
        }
    }
}
