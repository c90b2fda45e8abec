/// One operation: what is being attempted under one idempotency key, and how it ended.
package struct Operation: Hashable, Sendable {
    /// What never changes, held by all copies together.
    package let identity: OperationIdentity
    /// When the first request to the bank may have left: the start of the 24 hours that the bank remembers a key
    /// (docs/correctness.md#lost-keys). `nil` where the bank was never asked.
    package var firstSentAt: Timestamp?
    package var state: OperationState
    /// Goes up with every claim: a completion that carries an older one is refused (docs/correctness.md#takeover).
    package var fencingToken: Int64
    /// Until then, on the database's clock, only the holder of the fencing token may talk to the bank.
    package var leaseUntil: Timestamp
    package var claimToken: ClaimToken
    /// Claims so far, counted here and not by the broker (docs/correctness.md#innocent-neighbours).
    package var attempts: Int
    /// Earlier requests to the bank whose outcome is not known (docs/correctness.md#lost-keys,
    /// docs/correctness.md#decline-after-silence, docs/correctness.md#already-used).
    package var sends: EarlierSends
    /// The fencing token of a request whose complete error answer was seen when the process that had sent it was gone.
    package var failedFencingToken: Int64?
    /// A code, never a body.
    package var lastError: String?
    /// The final reply, byte for byte (docs/correctness.md#same-key-same-reply).
    package var reply: [UInt8]?
    /// Whether the broker has what there is to report of its end: reply and events of an outcome, the dead letter of
    /// one that needs manual review (docs/correctness.md#outcomes-are-reported). Says nothing while the operation is
    /// open.
    package var isNotified: Bool
    /// Whether its events are to be reported by the sweep although the rest is reported: the outbox had no room for
    /// them.
    package var areEventsDue: Bool

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
        origin: PaymentStatus?,
        firstSentAt: Timestamp?,
        state: OperationState,
        fencingToken: Int64,
        leaseUntil: Timestamp,
        claimToken: ClaimToken,
        attempts: Int,
        sends: EarlierSends = .none,
        failedFencingToken: Int64? = nil,
        lastError: String? = nil,
        reply: [UInt8]? = nil,
        isNotified: Bool = false,
        areEventsDue: Bool = false
    ) {
        identity = OperationIdentity(
            id: id,
            merchantID: merchantID,
            idempotencyKey: idempotencyKey,
            kind: kind,
            paymentID: paymentID,
            fingerprint: fingerprint,
            bankKey: bankKey,
            route: route,
            createdAt: createdAt,
            origin: origin
        )
        self.firstSentAt = firstSentAt
        self.state = state
        self.fencingToken = fencingToken
        self.leaseUntil = leaseUntil
        self.claimToken = claimToken
        self.attempts = attempts
        self.sends = sends
        self.failedFencingToken = failedFencingToken
        self.lastError = lastError
        self.reply = reply
        self.isNotified = isNotified
        self.areEventsDue = areEventsDue
    }

    package var id: OperationID { identity.id }
    package var merchantID: MerchantID { identity.merchantID }
    package var idempotencyKey: IdempotencyKey { identity.idempotencyKey }
    package var kind: OperationKind { identity.kind }
    package var paymentID: PaymentID { identity.paymentID }
    package var fingerprint: Fingerprint { identity.fingerprint }
    package var bankKey: String { identity.bankKey }
    package var route: ReplyRoute { identity.route }
    package var createdAt: Timestamp { identity.createdAt }
    package var origin: PaymentStatus? { identity.origin }

    /// A request may have reached the bank, and what it did is not known.
    package var isAmbiguous: Bool { !sends.isEmpty }

    /// Somebody, or the sweep, has to go on with it.
    package var isOpen: Bool { state == .sent || state == .unknown }
}

/// How far an operation got (docs/correctness.md#states). Raw values are the names in the store.
package enum OperationState: String, Sendable, CaseIterable {
    /// Claimed: a request to the bank may be under way until the lease runs out.
    case sent = "SENT"
    /// Resting between two attempts: what the bank did is not known, or the request never left.
    case unknown = "UNKNOWN"
    case succeeded = "SUCCEEDED"
    case declined = "DECLINED"
    case rejected = "REJECTED"
    /// It needs manual review.
    case needsAttention = "NEEDS_ATTENTION"

    /// The outcome is stored and will never change.
    package var isFinal: Bool {
        switch self {
        case .succeeded, .declined, .rejected: true
        case .sent, .unknown, .needsAttention: false
        }
    }
}

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

/// What a command asks for. Raw values are the names on the wire and in the store.
package enum OperationKind: String, Sendable, CaseIterable {
    case authorize, capture, void, refund

    /// The `type` of the command message (docs/contract.md#commands).
    package var commandType: String { "payment.\(rawValue).v1" }

    /// The `type` of its reply (docs/contract.md#replies).
    package var resultType: String { "payment.\(rawValue).result.v1" }

    package init?(commandType: String) {
        switch commandType {
        case "payment.authorize.v1": self = .authorize
        case "payment.capture.v1": self = .capture
        case "payment.void.v1": self = .void
        case "payment.refund.v1": self = .refund
        default: return nil
        }
    }

    /// The state of a payment while an operation of this kind holds it.
    package var inProgress: PaymentStatus {
        switch self {
        case .authorize: .pending
        case .capture: .capturing
        case .void: .voiding
        case .refund: .refunding
        }
    }

    /// The state of a payment for which an operation of this kind succeeded.
    package var succeeded: PaymentStatus {
        switch self {
        case .authorize: .authorized
        case .capture: .captured
        case .void: .voided
        case .refund: .refunded
        }
    }

    /// The states from which an operation of this kind may start (docs/correctness.md#states). An authorize starts a
    /// payment.
    package var origins: Set<PaymentStatus> {
        switch self {
        case .authorize: []
        case .capture: [.authorized]
        case .void: [.authorized, .expired]
        case .refund: [.captured]
        }
    }
}

/// What became of the requests to the bank that an operation has made so far, as far as their outcome is not known.
///
/// The two kinds are counted apart because they prove different things about a second hold: after a request without a complete
/// answer the bank may have placed one and forgotten its key; a complete error answer is given before anything is executed
/// (docs/bank.md#behaviour).
package struct EarlierSends: Hashable, Sendable {
    /// Requests that may have been executed: no complete answer came, or one that may have been written after the execution.
    package var unanswered: Int
    /// Requests that got a complete error answer, which proves nothing.
    package var failed: Int

    package init(unanswered: Int = 0, failed: Int = 0) {
        self.unanswered = unanswered
        self.failed = failed
    }

    package static let none = EarlierSends()

    /// No earlier request can have had an effect.
    package var isEmpty: Bool { unanswered == 0 && failed == 0 }
}
