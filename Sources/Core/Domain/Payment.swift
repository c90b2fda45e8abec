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
