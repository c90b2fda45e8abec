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

/// What a resolution would do, as an operator is asked to agree to it.
package struct ResolutionPlan: Hashable, Sendable {
    /// As it was read: in another shape it is not touched.
    package let operation: Operation
    package let payment: Payment
    package let resolution: Resolution

    package init(operation: Operation, payment: Payment, resolution: Resolution) {
        self.operation = operation
        self.payment = payment
        self.resolution = resolution
    }

    /// The state that the payment gets.
    package var status: PaymentStatus {
        switch resolution.end {
        case .succeeded: operation.kind.succeeded
        case .failed: operation.origin ?? .failed
        }
    }

    /// What the bank has said, for an operator.
    package var testimony: String {
        switch (resolution.end, resolution.key) {
        case (.succeeded, .executed), (.failed, _): resolution.key.explanation
        case (.succeeded(let effect, _?), _):
            "\(resolution.key.explanation), and has what it asked for as \(effect.bankID)"
        case (.succeeded(let effect, nil), _):
            "\(resolution.key.explanation), and cannot be asked about \(effect.bankID)"
        }
    }
}

/// What has been done.
package struct ResolutionReport: Hashable, Sendable {
    package let plan: ResolutionPlan
    /// How many of its dead letters have been discarded.
    package let closedDeadLetters: Int
    /// For an operator: what is left to do. The operation has ended all the same.
    package let problems: [String]

    package init(plan: ResolutionPlan, closedDeadLetters: Int, problems: [String]) {
        self.plan = plan
        self.closedDeadLetters = closedDeadLetters
        self.problems = problems
    }
}

/// Why an operation is not ended by an operator's decision.
package enum ResolutionRefusal: Error, Hashable, Sendable {
    case noPayment(PaymentID)
    /// Its operations are others.
    case noOperation(String, [OperationName])
    case severalOperations([OperationName])
    case otherState([OperationName])
    /// The payment is in this state, in which the operation does not hold it.
    case notActive(PaymentStatus)
    /// `failed` was asked for, and the bank replays the success with this id.
    case bankExecuted(String)
    /// The bank replays the success with another id than the one that was given.
    case otherBankID(given: String, replayed: String)
    /// The bank does not tell by the operation's key, so its id is needed.
    case needsBankID(KeyTestimony)
    case bankIDUnknown(OperationKind, String)
    /// What the bank has under the id is not what the operation asked for: a code.
    case bankIDDiffers(String, reason: String)
    case bankIDTaken(String, by: PaymentID?)
    /// Others have changed it since it was checked.
    case changed
    /// It cannot be asked, or says nothing that counts: a code.
    case bankUnavailable(String)
    case storeFailed(StoreError)

    /// What a program is told.
    package var code: String {
        switch self {
        case .noPayment, .noOperation: "not_found"
        case .severalOperations: "ambiguous_operation"
        case .otherState, .notActive: "wrong_state"
        case .bankExecuted, .otherBankID, .bankIDUnknown, .bankIDDiffers: "bank_contradicts"
        case .needsBankID: "bank_id_needed"
        case .bankIDTaken: StoreError.Code.bankIDTaken.rawValue
        case .changed: "changed"
        case .bankUnavailable, .storeFailed: "unavailable"
        }
    }

    /// What an operator is told.
    package var explanation: String {
        switch self {
        case .noPayment(let id): "there is no payment \(id)"
        case .noOperation(let word, let others):
            "the payment has no operation '\(word)'" + (others.isEmpty ? "" : "; \(Self.list(others))")
        case .severalOperations(let names):
            "several operations are meant, name one by its idempotency key: \(Self.list(names))"
        case .otherState(let names): "only what is NEEDS_ATTENTION can be resolved; \(Self.list(names))"
        case .notActive(let status): "the payment is \(status.rawValue): the operation does not hold it"
        case .bankExecuted(let id): "the bank has executed it as \(id); resolve it as succeeded"
        case .otherBankID(let given, let replayed): "the bank has executed it as \(replayed), not as \(given)"
        case .needsBankID(let key): "\(key.explanation); the id of what it did is needed"
        case .bankIDUnknown(let kind, let id): "the bank knows no \(kind.rawValue) \(id)"
        case .bankIDDiffers(let id, let reason):
            "what the bank has as \(id) is not what this operation asked for (\(reason))"
        case .bankIDTaken(let id, let owner):
            "\(id) belongs to \(owner.map { "payment \($0)" } ?? "another payment") already"
        case .changed: "the operation has been changed since it was checked; check it again"
        case .bankUnavailable(let cause): "the bank cannot be asked (\(cause))"
        case .storeFailed(let error): "the database cannot be used (\(error.detail))"
        }
    }

    private static func list(_ names: [OperationName]) -> String {
        names.map(\.description).joined(separator: ", ")
    }
}
