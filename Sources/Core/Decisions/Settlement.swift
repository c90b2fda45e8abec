/// How an attempt ended, ready to be written in one commit. The store refuses it where the fence has moved on (trap P3).
package struct Settlement: Hashable, Sendable {
    /// As it is from now on; its fence is the one under which the attempt was made.
    package private(set) var operation: Operation
    /// As it is from now on; `nil` where the attempt proved nothing about it.
    package let payment: Payment?
    package let transition: Transition?
    /// How long the key must rest before it is sent again, from the commit on, on the store's clock. Only for `UNKNOWN`.
    package let rest: Duration
    /// What this attempt learnt, for the history of a payment that another has taken over in the meantime.
    package let lateNote: String
    /// Written in the same commit, to be relayed: where no delivery is there to tell it.
    package private(set) var outbox: [OutboxMessage] = []

    /// The same, told by way of the outbox.
    ///
    /// - Parameter claim: under which the attempt was made.
    package func toldByOutbox(_ claim: Claim) -> Settlement {
        var copy = self
        copy.outbox = OutboxMessage.telling(operation, payment ?? claim.payment)
        copy.operation.isTold = true
        return copy
    }

    private init(
        operation: Operation,
        payment: Payment? = nil,
        transition: Transition? = nil,
        rest: Duration = .zero,
        lateNote: String
    ) {
        self.operation = operation
        self.payment = payment
        self.transition = transition
        self.rest = rest
        self.lateNote = lateNote
    }

    /// The bank did it.
    package static func succeeded(
        _ claim: Claim,
        _ effect: BankEffect,
        _ response: BankResponse,
        isPossibleOrphan: Bool,
        now: Timestamp
    ) -> Settlement {
        let cause =
            isPossibleOrphan
            ? "\(claim.operation.kind.rawValue) succeeded; possible orphan hold from an earlier unanswered send"
            : "\(claim.operation.kind.rawValue) succeeded"
        return final(
            claim,
            .succeeded,
            payment: effect.apply(to: claim.payment, now: now),
            response: response,
            error: nil,
            cause: cause,
            lateNote: "late answer refused: \(effect.bankID)"
        )
    }

    /// The bank said no: the payment gets back the last state that was proven (correctness.md, States).
    package static func declined(
        _ claim: Claim,
        _ refusal: BankRefusal,
        _ response: BankResponse,
        authorizationExpired: Bool = false
    ) -> Settlement {
        let back = authorizationExpired ? .expired : claim.operation.origin ?? .failed
        return final(
            claim,
            .declined,
            payment: claim.payment.moved(to: back, heldBy: nil),
            response: response,
            error: ReplyError(refusal),
            cause: "\(claim.operation.kind.rawValue) declined: \(refusal.code)",
            lateNote: "late answer refused: \(refusal.code)"
        )
    }

    /// Not known yet, or never sent: the operation stays open and rests.
    package static func resting(
        _ claim: Claim,
        reason: String,
        ambiguousSends: Int,
        rest: Duration
    ) -> Settlement {
        open(claim, .unknown, reason: reason, ambiguousSends: ambiguousSends, rest: rest)
    }

    /// Nothing that we can ask will tell: a person must look.
    package static func needsAttention(_ claim: Claim, reason: String, ambiguousSends: Int) -> Settlement {
        open(claim, .needsAttention, reason: reason, ambiguousSends: ambiguousSends, rest: .zero)
    }

    private static func open(
        _ claim: Claim,
        _ state: OperationState,
        reason: String,
        ambiguousSends: Int,
        rest: Duration
    ) -> Settlement {
        var operation = claim.operation
        operation.state = state
        operation.isTold = false
        operation.lastError = reason
        operation.ambiguousSends = ambiguousSends
        return Settlement(operation: operation, rest: rest, lateNote: "late answer refused: \(reason)")
    }

    private static func final(
        _ claim: Claim,
        _ state: OperationState,
        payment: Payment,
        response: BankResponse,
        error: ReplyError?,
        cause: String,
        lateNote: String
    ) -> Settlement {
        var operation = claim.operation
        operation.state = state
        operation.isTold = false
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
        return Settlement(
            operation: operation,
            payment: payment,
            transition: Transition(from: claim.payment, to: payment, operation: operation.kind, cause: cause),
            lateNote: lateNote
        )
    }
}
