/// The bank's word that an authorization has expired: its `expires_at` before its own clock, less a grace period
/// (docs/correctness.md#expiry-needs-proof).
package struct ExpiryProof: Hashable, Sendable {
    package let paymentID: PaymentID
    package let authorizationID: String

    /// `nil` where the answer proves nothing: not found, an error, another id, no time, or not past enough.
    ///
    /// - Parameters:
    ///   - payment: whose authorization was asked about.
    ///   - answer: to `BankQuery.authorization`.
    ///   - grace: `sweeps.expire.grace`.
    package init?(_ payment: Payment, _ answer: BankAnswer, grace: Duration) {
        guard case .response(let response) = answer, response.status == 200, case .json(let body) = response.body,
            let id = payment.bank.authorizationID, body["authorization_id"]?.string == id,
            let expiresAt = body["expires_at"]?.string.flatMap({ Timestamp($0) }), let bankNow = response.date,
            expiresAt < bankNow.advanced(by: .zero - grace)
        else { return nil }
        paymentID = payment.id
        authorizationID = id
    }
}

/// What an expiry writes, given the payment as it is under lock. Shared by every store.
package struct Expiry: Hashable, Sendable {
    package let payment: Payment
    package let transition: Transition
    package let event: OutboxMessage

    /// `nil` where something has come in between: an operation is under way, or the payment is no longer authorized.
    ///
    /// - Parameters:
    ///   - proof: the bank's word.
    ///   - before: the payment, under lock.
    ///   - operation: the authorize that made the authorization.
    package init?(_ proof: ExpiryProof, _ before: Payment, operation: OperationID) {
        guard before.status == .authorized, before.bank.authorizationID == proof.authorizationID else { return nil }
        payment = before.moved(to: .expired, activeOperation: nil)
        transition = Transition(
            from: before,
            to: payment,
            operation: .authorize,
            cause: "expired by the bank's clock"
        )
        event = OutboxMessage(PaymentEvent(expired: payment, operation: operation), of: payment.id)
    }
}

/// What the expiring sweep does with a payment whose authorization is past its expiry. Shared by every store.
package enum AuthorizationDecision: Hashable, Sendable {
    /// Ask the bank.
    case ask
    case void
    case wait
    case forget

    /// - Parameters:
    ///   - payment: under lock.
    ///   - voidsExpired: `sweeps.expire.void`.
    package init(_ payment: Payment, voidsExpired: Bool) {
        switch payment.status {
        case .authorized: self = .ask
        case .expired: self = voidsExpired ? .void : .forget
        case .pending, .capturing, .voiding: self = .wait
        case .captured, .refunding, .refunded, .voided, .failed: self = .forget
        }
    }
}

/// A check of the expiring sweep at authorizations that are past their expiry.
package struct AuthorizationCheck: Sendable {
    package let limit: Int
    /// What expired by then is due: the bank's clock less the grace period (docs/correctness.md#expiry-needs-proof).
    package let expiredBy: Timestamp
    /// Whether what has expired is to be voided.
    package let voidsExpired: Bool
    package let policy: SweepPolicy
    /// A fresh random word.
    package let random: UInt64

    package init(limit: Int, expiredBy: Timestamp, voidsExpired: Bool, policy: SweepPolicy, random: UInt64) {
        self.limit = limit
        self.expiredBy = expiredBy
        self.voidsExpired = voidsExpired
        self.policy = policy
        self.random = random
    }
}

/// What a check found. Each row that it checked is due later, or never again (docs/correctness.md#starving-sweeps).
package struct AuthorizationFindings: Hashable, Sendable {
    /// The bank is to be asked about these.
    package var needingCheck: [Payment] = []
    /// Their hold is to be voided.
    package var voidable: [Payment] = []
    /// How many have an operation under way.
    package var waiting = 0
    /// How many have come to another end.
    package var forgotten = 0

    package init() {}

    /// Rows of this check.
    package var count: Int { needingCheck.count + voidable.count + waiting + forgotten }
}
