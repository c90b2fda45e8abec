/// What an operator wants to become of an operation that is in `NEEDS_ATTENTION` (docs/operations.md#manual-review).
package struct ResolutionOrder: Hashable, Sendable {
    /// How the operation is to end.
    package enum End: String, Hashable, Sendable, CaseIterable {
        case succeeded, failed

        /// What its reply says.
        package var outcome: Reply.Outcome { self == .succeeded ? .succeeded : .declined }
    }

    package let paymentID: PaymentID
    /// Only operations of this merchant are meant.
    package let merchantID: MerchantID?
    /// An idempotency key, or the name of a kind where exactly one operation of it is in `NEEDS_ATTENTION`.
    package let operation: String
    package let end: End
    /// The bank's id of what it did; only with `succeeded`.
    package let bankID: String?
    /// Why, for the history and the audit: card numbers in it are masked.
    package let reason: String
    /// Who.
    package let actor: String

    /// - Throws: naming the first field that is wrong by the name that it has in the admin API.
    package init(
        paymentID: PaymentID,
        merchantID: MerchantID? = nil,
        operation: String,
        end: End,
        bankID: String? = nil,
        reason: String,
        actor: String
    ) throws(InvalidField) {
        try Self.check(operation, "operation", length: 1...255)
        if let bankID {
            guard end == .succeeded else { throw InvalidField("bank_id", "goes with 'succeeded' only") }
            try Self.check(bankID, "bank_id", length: 1...128)
        }
        try Self.check(reason, "reason", length: 1...500)
        try Self.check(actor, "operator", length: 1...128)
        self.paymentID = paymentID
        self.merchantID = merchantID
        self.operation = operation
        self.end = end
        self.bankID = bankID
        self.reason = CardDigits.masked(reason)
        self.actor = CardDigits.masked(actor)
    }

    private static func check(_ text: String, _ field: String, length: ClosedRange<Int>) throws(InvalidField) {
        guard TextRule.holds(text, length: length) else {
            let range = "\(length.lowerBound) to \(length.upperBound)"
            throw InvalidField(field, "must be \(range) characters without control characters")
        }
    }

    /// For the audit: what was done, and why.
    package var summary: String { "resolved as \(end.rawValue): \(reason)" }

    // MARK: Which operation

    /// The operation that is meant.
    package func choice(from view: PaymentView) throws(ResolutionRefusal) -> Operation {
        let own = view.operations.filter { merchantID == nil || $0.merchantID == merchantID }
        let named = own.filter { isNamed($0) || $0.kind.rawValue == operation }
        let waiting = named.filter { $0.state == .needsAttention }
        guard let operation = waiting.first else {
            if named.isEmpty { throw .noOperation(self.operation, own.map(OperationName.init)) }
            throw .otherState(named.map(OperationName.init))
        }
        guard waiting.count == 1 else { throw .severalOperations(waiting.map(OperationName.init)) }
        guard view.payment.activeOperation == operation.id else { throw .notActive(view.payment.status) }
        return operation
    }

    private func isNamed(_ operation: Operation) -> Bool {
        operation.idempotencyKey.description.utf8.elementsEqual(self.operation.utf8)
    }
}

/// An operation as an operator is told of it.
package struct OperationName: Hashable, Sendable, CustomStringConvertible {
    package let kind: OperationKind
    package let idempotencyKey: IdempotencyKey
    package let merchantID: MerchantID
    package let state: OperationState

    package init(_ operation: Operation) {
        kind = operation.kind
        idempotencyKey = operation.idempotencyKey
        merchantID = operation.merchantID
        state = operation.state
    }

    package var description: String {
        let owner = merchantID == .default ? "" : " of merchant \(merchantID)"
        return "\(kind.rawValue) \(idempotencyKey)\(owner) is \(state.rawValue)"
    }
}
