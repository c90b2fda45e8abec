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
