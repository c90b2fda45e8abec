/// How an attempt ended, ready to be written in one commit. The store refuses it where the fencing token has moved on
/// (docs/correctness.md#takeover).
package struct OperationResult: Hashable, Sendable {
    /// As it is from now on; its fencing token is the one under which the attempt was made.
    package private(set) var operation: Operation
    /// As it is from now on; `nil` where the attempt proved nothing about it.
    package let payment: Payment?
    package let transition: Transition?
    /// How long the key must rest before it is sent again, from the commit on, on the store's clock. Only for `UNKNOWN`.
    package let rest: Duration
    /// What this attempt learnt, for the history of a payment that another has taken over in the meantime.
    package let lateNote: String
    /// Whether the bank may hold money that no payment of ours knows of.
    package let orphan: PossibleOrphan?
    /// For the history, where it changes nothing about the payment: what an operator should know of this attempt.
    package let note: String?
    /// Written in the same commit, to be relayed: where no delivery is there to report it.
    package private(set) var outbox: [OutboxMessage] = []

    /// Whether the final reply to its first message is among them.
    package var isAnsweredByOutbox: Bool { outbox.contains { $0.operationID != nil } }
    /// Its requests to the bank that did not complete the operation, oldest first: none where the first one did.
    package private(set) var attempts: [UnfinishedAttempt] = []

    /// The same, told by way of the outbox.
    ///
    /// - Parameter claim: under which the attempt was made.
    package func notifiedByOutbox(_ claim: Claim) -> OperationResult {
        var copy = self
        copy.outbox = OutboxMessage.notifying(operation, payment ?? claim.payment)
        copy.operation.isNotified = true
        return copy
    }

    package func with(_ attempts: [UnfinishedAttempt]) -> OperationResult {
        if attempts.isEmpty { return self }
        var copy = self
        copy.attempts = attempts
        return copy
    }

    /// The same, with what was reported before the claim counted as reported.
    func keepingNotified(of claim: Claim) -> OperationResult {
        var copy = self
        copy.operation.isNotified = claim.operation.isNotified
        return copy
    }

    private init(
        operation: Operation,
        payment: Payment? = nil,
        transition: Transition? = nil,
        rest: Duration = .zero,
        orphan: PossibleOrphan? = nil,
        note: String? = nil,
        lateNote: String
    ) {
        self.operation = operation
        self.payment = payment
        self.transition = transition
        self.rest = rest
        self.orphan = orphan
        self.note = note
        self.lateNote = lateNote
    }

    /// The authorization that the bank gave this attempt, where it is an authorize.
    package var hold: String? {
        operation.kind == .authorize && operation.state == .succeeded ? payment?.bank.authorizationID : nil
    }

    /// For the history, when another attempt has taken the operation over.
    ///
    /// - Parameter stored: the payment as it is.
    /// - Returns: the text, and what the authorization that the bank gave this attempt is to the payment.
    package func refused(by stored: Payment) -> (note: String, match: LateAuthorization?) {
        guard let hold, stored.merchantID == operation.merchantID else { return (lateNote, nil) }
        let match = LateAuthorization(hold, of: stored)
        return (match == .stray ? lateNote + LateAuthorization.strayNote : lateNote, match)
    }

    /// The bank did it.
    ///
    /// `isForgotten`: it had done so before, and our store has lost that.
    package static func succeeded(
        _ claim: Claim,
        _ effect: BankEffect,
        _ response: BankResponse,
        orphan: PossibleOrphan? = nil,
        isForgotten: Bool = false,
        now: Timestamp
    ) -> OperationResult {
        let forgotten = isForgotten ? "; the bank had executed it before, and this store has forgotten it" : ""
        return final(
            claim,
            .succeeded,
            payment: effect.apply(to: claim.payment, now: now),
            response: response,
            error: nil,
            orphan: orphan,
            cause: "\(claim.operation.kind.rawValue) succeeded\(forgotten)\(orphan.cause)",
            lateNote: "late answer refused: \(effect.bankID)"
        )
    }

    /// The bank said no: the payment gets back the last state that was proven (docs/correctness.md#states).
    package static func declined(
        _ claim: Claim,
        _ refusal: BankRefusal,
        _ response: BankResponse,
        orphan: PossibleOrphan? = nil,
        authorizationExpired: Bool = false
    ) -> OperationResult {
        let back = authorizationExpired ? .expired : claim.operation.origin ?? .failed
        return final(
            claim,
            .declined,
            payment: claim.payment.moved(to: back, activeOperation: nil),
            response: response,
            error: ReplyError(refusal),
            orphan: orphan,
            cause: "\(claim.operation.kind.rawValue) declined: \(refusal.code)\(orphan.cause)",
            lateNote: "late answer refused: \(refusal.code)"
        )
    }

    /// Not known yet, or never sent: the operation stays open and rests.
    ///
    /// - Parameters:
    ///   - claim: the right under which the bank was asked.
    ///   - reason: a code, kept as the last error.
    ///   - sends: the requests of unknown outcome so far.
    ///   - rest: how long its key must rest.
    ///   - countsAttempt: false where a known outage, or the bank's own wish, is why: the next retry tier is no longer for it.
    ///   - note: for the history.
    package static func resting(
        _ claim: Claim,
        reason: String,
        sends: EarlierSends,
        rest: Duration,
        countsAttempt: Bool = true,
        note: String? = nil
    ) -> OperationResult {
        open(claim, .unknown, reason: reason, sends: sends, rest: rest, countsAttempt: countsAttempt, note: note)
    }

    /// Nothing that we can ask will tell: manual review.
    package static func needsAttention(_ claim: Claim, reason: String, sends: EarlierSends) -> OperationResult {
        open(claim, .needsAttention, reason: reason, sends: sends, rest: .zero)
    }

    private static func open(
        _ claim: Claim,
        _ state: OperationState,
        reason: String,
        sends: EarlierSends,
        rest: Duration,
        countsAttempt: Bool = true,
        note: String? = nil
    ) -> OperationResult {
        var operation = claim.operation
        operation.state = state
        operation.isNotified = false
        operation.lastError = reason
        operation.sends = sends
        if !countsAttempt { operation.attempts = max(operation.attempts - 1, 0) }
        return OperationResult(operation: operation, rest: rest, note: note, lateNote: "late answer refused: \(reason)")
    }

    /// With its final reply.
    ///
    /// - Parameters:
    ///   - state: `SUCCEEDED` or `DECLINED`.
    ///   - response: the answer that completed it; `nil` where the bank was not asked.
    static func final(
        _ claim: Claim,
        _ state: OperationState,
        payment: Payment,
        response: BankResponse?,
        error: ReplyError?,
        orphan: PossibleOrphan?,
        cause: String,
        lateNote: String
    ) -> OperationResult {
        var operation = claim.operation
        operation.state = state
        operation.isNotified = false
        operation.reply =
            Reply(
                operation: operation.kind,
                outcome: state == .succeeded ? .succeeded : .declined,
                error: error,
                bankResponse: response,
                payment: payment,
                paymentID: payment.id,
                idempotencyKey: operation.idempotencyKey
            ).encoded
        return OperationResult(
            operation: operation,
            payment: payment,
            transition: Transition(from: claim.payment, to: payment, operation: operation.kind, cause: cause),
            orphan: orphan,
            lateNote: lateNote
        )
    }
}

extension PossibleOrphan? {
    /// The end of a cause in the history.
    var cause: String {
        switch self {
        case .suspected: "; possible orphan hold from an earlier unanswered request"
        case .unlikely: "; orphan hold unlikely, after earlier requests that proved nothing"
        case nil: ""
        }
    }
}

/// What an authorization is that the bank gave to an attempt which no longer holds its operation.
package enum LateAuthorization: Hashable, Sendable {
    /// The payment's own: the bank has replayed it.
    case same
    /// A second hold: the payment has another authorization, or has failed.
    case stray
    /// Not known yet: the attempt that holds the operation now has not ended.
    case undecided

    /// - Parameters:
    ///   - id: the bank's, of the authorization.
    ///   - payment: as it is stored.
    package init(_ id: String, of payment: Payment) {
        if let own = payment.bank.authorizationID {
            self = own == id ? .same : .stray
        } else {
            self = payment.status == .failed ? .stray : .undecided
        }
    }

    package static let strayNote = "; possible orphan hold: the payment has another authorization"

    /// For the history, when an authorization turns out to be a second hold after its answer was refused.
    package static func strayCause(_ id: String) -> String { "late answer compared: \(id)\(strayNote)" }
}
