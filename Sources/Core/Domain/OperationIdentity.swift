/// What is fixed when an operation is opened. One object, whoever holds a copy of the operation: copying it costs one reference.
package final class OperationIdentity: Hashable, Sendable {
    package let id: OperationID
    package let merchantID: MerchantID
    package let idempotencyKey: IdempotencyKey
    package let kind: OperationKind
    package let paymentID: PaymentID
    package let fingerprint: Fingerprint
    /// What the bank knows the operation by (docs/bank.md#the-bank-key): at most 64 characters, frozen with the
    /// operation.
    package let bankKey: String
    /// The first delivery's way back: where an answer goes that no delivery waits for.
    package let route: ReplyRoute
    package let createdAt: Timestamp
    /// The state that the payment was in before, and gets back where the bank says no. `nil` for an authorize.
    package let origin: PaymentStatus?

    package init(
        id: OperationID,
        merchantID: MerchantID,
        idempotencyKey: IdempotencyKey,
        kind: OperationKind,
        paymentID: PaymentID,
        fingerprint: Fingerprint,
        bankKey: String,
        route: ReplyRoute,
        createdAt: Timestamp,
        origin: PaymentStatus?
    ) {
        self.id = id
        self.merchantID = merchantID
        self.idempotencyKey = idempotencyKey
        self.kind = kind
        self.paymentID = paymentID
        self.fingerprint = fingerprint
        self.bankKey = bankKey
        self.route = route
        self.createdAt = createdAt
        self.origin = origin
    }

    package static func == (left: OperationIdentity, right: OperationIdentity) -> Bool {
        left === right
            || left.id == right.id && left.merchantID == right.merchantID
                && left.idempotencyKey == right.idempotencyKey && left.kind == right.kind
                && left.paymentID == right.paymentID && left.fingerprint == right.fingerprint
                && left.bankKey == right.bankKey && left.route == right.route && left.createdAt == right.createdAt
                && left.origin == right.origin
    }

    package func hash(into hasher: inout Hasher) {
        hasher.combine(id)
        hasher.combine(idempotencyKey)
    }
}
