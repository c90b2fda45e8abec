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
