/// Where a payment stands. Raw values are the names on the wire and in the store.
package enum PaymentStatus: String, Sendable, CaseIterable {
    case pending = "PENDING"
    case authorized = "AUTHORIZED"
    case capturing = "CAPTURING"
    case captured = "CAPTURED"
    case voiding = "VOIDING"
    case voided = "VOIDED"
    case refunding = "REFUNDING"
    case refunded = "REFUNDED"
    case failed = "FAILED"
    case expired = "EXPIRED"

    /// An operation is under way: what comes next waits for it (docs/correctness.md#busy-payment).
    package var isInProgress: Bool {
        switch self {
        case .pending, .capturing, .voiding, .refunding: true
        case .authorized, .captured, .voided, .refunded, .failed, .expired: false
        }
    }

    /// The state machine (docs/correctness.md#states), backward steps to the last proven state included.
    /// `0001_payments.sql` holds the same list as a check constraint of the history.
    package func mayBecome(_ next: PaymentStatus) -> Bool {
        switch self {
        case .pending: next == .authorized || next == .failed
        case .authorized: next == .capturing || next == .voiding || next == .expired
        case .capturing: next == .captured || next == .authorized || next == .expired
        case .voiding: next == .voided || next == .authorized || next == .expired
        case .captured: next == .refunding
        case .refunding: next == .refunded || next == .captured
        case .expired: next == .voiding
        case .voided, .refunded, .failed: false
        }
    }
}
