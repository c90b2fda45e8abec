/// A request to the bank, for whoever asks what became of a payment.
package struct BankAttemptRecord: Hashable, Sendable {
    /// When its answer was there, or its time was over.
    package let at: Timestamp
    package let operation: OperationKind
    package let idempotencyKey: IdempotencyKey
    package let verdict: BankCallVerdict
    /// `nil` where there was no complete answer.
    package let status: Int?
    /// The bank's, or our word for what went wrong; `nil` for a success.
    package let code: String?
    /// On which its command came again; `nil` where it did not, or the reconcile sweep had asked.
    package let tier: RetryTier?

    package init(
        at: Timestamp,
        operation: OperationKind,
        idempotencyKey: IdempotencyKey,
        verdict: BankCallVerdict,
        status: Int?,
        code: String?,
        tier: RetryTier?
    ) {
        self.at = at
        self.operation = operation
        self.idempotencyKey = idempotencyKey
        self.verdict = verdict
        self.status = status
        self.code = code
        self.tier = tier
    }

    /// The request that has completed an operation, read from its reply: nothing is stored for it.
    ///
    /// - Parameter completedAt: by the store.
    /// - Returns: `nil` where the bank was not asked.
    package init?(completing operation: Operation, at completedAt: Timestamp) {
        guard let reply = operation.reply, let json = try? JSONParser.parse(reply),
            let status = json["bank_response"]?["status"]?.integer
        else { return nil }
        let code = json["error"]?["code"]?.string
        let isExpired = code == BankCode.authorizationExpired.rawValue
        self.init(
            at: completedAt,
            operation: operation.kind,
            idempotencyKey: operation.idempotencyKey,
            verdict: operation.state == .succeeded ? .succeeded : isExpired ? .expired : .declined,
            status: Int(status),
            code: code,
            tier: nil
        )
    }
}

/// What a request to the bank proved. Raw values are the label `verdict` of the metrics and the names in the store.
package enum BankCallVerdict: String, Hashable, CaseIterable, Sendable {
    case succeeded, declined, expired, ambiguous
    case notSent = "not_sent"
    case notExecuted = "not_executed"
    case keyUnknown = "key_unknown"
    case needsAttention = "needs_attention"

    package init(_ verdict: Verdict) {
        switch verdict {
        case .succeeded: self = .succeeded
        case .declined: self = .declined
        case .expired: self = .expired
        case .notSent: self = .notSent
        case .notExecuted: self = .notExecuted
        case .keyUnknown: self = .keyUnknown
        case .ambiguous: self = .ambiguous
        case .needsAttention: self = .needsAttention
        }
    }
}

/// A request to the bank that has not completed its operation, on its way into the store, which adds the time by its own clock.
package struct UnfinishedAttempt: Hashable, Sendable {
    package let verdict: BankCallVerdict
    package let status: Int?
    package let code: String?
    package fileprivate(set) var tier: RetryTier?
    /// How long before the commit its answer was there.
    package let age: Duration

    package init(verdict: BankCallVerdict, status: Int?, code: String?, tier: RetryTier? = nil, age: Duration) {
        self.verdict = verdict
        self.status = status
        self.code = code
        self.tier = tier
        self.age = age
    }
}

extension [UnfinishedAttempt] {
    /// The last of them is why the command comes again.
    func comingAgain(on tier: RetryTier?) -> [UnfinishedAttempt] {
        var copy = self
        if !copy.isEmpty { copy[copy.count - 1].tier = tier }
        return copy
    }
}
