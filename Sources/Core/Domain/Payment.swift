/// One payment: what is proven about it, and which operation holds it at the moment.
package struct Payment: Hashable, Sendable {
    /// What never changes, held by all copies together.
    package let identity: PaymentIdentity
    package var status: PaymentStatus
    /// The operation that is under way, exactly while `status.isInProgress`.
    package var activeOperation: OperationID?
    /// Counts the transitions; the history has one row for each.
    package var version: Int64
    package var bank: BankReferences
    package var authorizedAt: Timestamp?
    package var expiresAt: Timestamp?
    package var capturedAt: Timestamp?
    package var voidedAt: Timestamp?
    package var refundedAt: Timestamp?

    package init(
        id: PaymentID,
        merchantID: MerchantID,
        orderID: String,
        customerID: String,
        amount: Money,
        createdAt: Timestamp,
        status: PaymentStatus = .pending,
        activeOperation: OperationID?,
        version: Int64 = 1,
        bank: BankReferences = BankReferences(),
        authorizedAt: Timestamp? = nil,
        expiresAt: Timestamp? = nil,
        capturedAt: Timestamp? = nil,
        voidedAt: Timestamp? = nil,
        refundedAt: Timestamp? = nil
    ) {
        identity = PaymentIdentity(
            id: id,
            merchantID: merchantID,
            orderID: orderID,
            customerID: customerID,
            amount: amount,
            createdAt: createdAt
        )
        self.status = status
        self.activeOperation = activeOperation
        self.version = version
        self.bank = bank
        self.authorizedAt = authorizedAt
        self.expiresAt = expiresAt
        self.capturedAt = capturedAt
        self.voidedAt = voidedAt
        self.refundedAt = refundedAt
    }

    package var id: PaymentID { identity.id }
    package var merchantID: MerchantID { identity.merchantID }
    package var orderID: String { identity.orderID }
    package var customerID: String { identity.customerID }
    package var amount: Money { identity.amount }
    package var createdAt: Timestamp { identity.createdAt }

    /// The payment one transition on.
    ///
    /// - Precondition: the state machine allows it; a caller that could ask for another is a bug in `Decisions`.
    package func moved(to next: PaymentStatus, activeOperation operation: OperationID?) -> Payment {
        precondition(status.mayBecome(next), "no path from \(status.rawValue) to \(next.rawValue)")
        var payment = self
        payment.status = next
        payment.activeOperation = operation
        payment.version += 1
        return payment
    }
}

/// The ids under which the bank knows what it did for a payment.
package struct BankReferences: Hashable, Sendable {
    package var authorizationID: String?
    package var captureID: String?
    package var voidID: String?
    package var refundID: String?

    package init(
        authorizationID: String? = nil,
        captureID: String? = nil,
        voidID: String? = nil,
        refundID: String? = nil
    ) {
        self.authorizationID = authorizationID
        self.captureID = captureID
        self.voidID = voidID
        self.refundID = refundID
    }
}

/// What is fixed when a payment is created. One object, whoever holds a copy of the payment: copying it costs one reference.
package final class PaymentIdentity: Hashable, Sendable {
    package let id: PaymentID
    package let merchantID: MerchantID
    package let orderID: String
    package let customerID: String
    package let amount: Money
    package let createdAt: Timestamp

    package init(
        id: PaymentID,
        merchantID: MerchantID,
        orderID: String,
        customerID: String,
        amount: Money,
        createdAt: Timestamp
    ) {
        self.id = id
        self.merchantID = merchantID
        self.orderID = orderID
        self.customerID = customerID
        self.amount = amount
        self.createdAt = createdAt
    }

    package static func == (left: PaymentIdentity, right: PaymentIdentity) -> Bool {
        left === right
            || left.id == right.id && left.merchantID == right.merchantID && left.orderID == right.orderID
                && left.customerID == right.customerID && left.amount == right.amount
                && left.createdAt == right.createdAt
    }

    package func hash(into hasher: inout Hasher) {
        hasher.combine(id)
    }
}

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

/// One step of a payment's life (docs/correctness.md#legal-history), or a note that changed nothing (`from` equals
/// `to`).
package struct HistoryEntry: Hashable, Sendable {
    package let at: Timestamp
    /// Why: a verb phrase for an operator, such as `capture declined: authorization_expired`.
    package let cause: String
    /// `nil` for the first entry.
    package let from: PaymentStatus?
    package let to: PaymentStatus
    package let operation: OperationKind

    package init(at: Timestamp, cause: String, from: PaymentStatus?, to: PaymentStatus, operation: OperationKind) {
        self.at = at
        self.cause = cause
        self.from = from
        self.to = to
        self.operation = operation
    }
}

/// A row for the history that the store is about to write; the store adds the time, on its own clock.
package struct Transition: Hashable, Sendable {
    package let paymentID: PaymentID
    /// The payment's version after it.
    package let version: Int64
    package let from: PaymentStatus?
    package let to: PaymentStatus
    package let operation: OperationKind
    package let cause: String

    package init(from before: Payment?, to after: Payment, operation: OperationKind, cause: String) {
        paymentID = after.id
        version = after.version
        from = before?.status
        to = after.status
        self.operation = operation
        self.cause = cause
    }
}
