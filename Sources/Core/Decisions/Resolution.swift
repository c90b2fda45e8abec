/// How an operation is to end by an operator's decision, after all that can be asked has been asked.
package struct Resolution: Hashable, Sendable {
    package enum End: Hashable, Sendable {
        /// The response is the bank's word; `nil` where only the operator's is there.
        case succeeded(BankEffect, BankResponse?)
        case failed
    }

    package let order: ResolutionOrder
    package let end: End
    /// What the bank has said by the key.
    package let key: KeyTestimony
    /// Whether an authorize may have left a hold that no payment knows of.
    package let orphan: PossibleOrphan?

    /// What follows from the bank's word by the key, before it is asked by an id.
    package enum Step: Hashable, Sendable {
        case complete(Resolution)
        /// The id that was given is to be asked about first.
        case ask(BankQuery)
    }

    private init(_ order: ResolutionOrder, _ end: End, _ key: KeyTestimony, _ operation: Operation) {
        self.order = order
        self.end = end
        self.key = key
        orphan = Self.orphan(end, key, operation)
    }

    /// - Throws: where the bank's word contradicts the operator's.
    package static func after(
        _ key: KeyTestimony,
        _ order: ResolutionOrder,
        _ operation: Operation
    ) throws(ResolutionRefusal) -> Step {
        switch (order.end, key) {
        case (.failed, .executed(let effect, _)):
            throw .bankExecuted(effect.bankID)
        case (.failed, .other), (.failed, .unknown):
            return .complete(Resolution(order, .failed, key, operation))
        case (.succeeded, .executed(let effect, let response)):
            if let given = order.bankID, given != effect.bankID {
                throw .otherBankID(given: given, replayed: effect.bankID)
            }
            return .complete(Resolution(order, .succeeded(effect, response), key, operation))
        case (.succeeded, .other), (.succeeded, .unknown):
            guard let id = order.bankID else { throw .needsBankID(key) }
            switch operation.kind {
            case .authorize: return .ask(.authorization(id))
            case .capture: return .ask(.capture(id))
            case .refund: return .ask(.refund(id))
            // The bank has no question for it (docs/correctness.md#what-cannot-be-asked): the operator's word stands.
            case .void:
                return .complete(Resolution(order, .succeeded(.voided(voidID: id, at: nil), nil), key, operation))
            }
        }
    }

    /// Decides after the bank was asked about the id that was given.
    package static func after(
        _ testimony: IDTestimony,
        to id: String,
        _ key: KeyTestimony,
        _ order: ResolutionOrder,
        _ operation: Operation
    ) throws(ResolutionRefusal) -> Resolution {
        switch testimony {
        case .found(let effect, let response):
            return Resolution(order, .succeeded(effect, response), key, operation)
        case .differs(let reason): throw .bankIDDiffers(id, reason: reason)
        case .unknown: throw .bankIDUnknown(operation.kind, id)
        }
    }

    /// One hold accounts for one of the unanswered requests, as a replay does. Where an operator says that there is
    /// none, the bank may still have one whose key it has lost: kept in the history, without an alarm, because the
    /// operator has looked. What the bank has under the key and nobody wants is a hold that is there.
    private static func orphan(_ end: End, _ key: KeyTestimony, _ operation: Operation) -> PossibleOrphan? {
        guard operation.kind == .authorize else { return nil }
        if case .other(let reason) = key, reason != KeyTestimony.otherPayment { return .suspected }
        switch end {
        case .succeeded: return Verdict.orphan(isReplayed: true, operation.sends)
        case .failed: return operation.isAmbiguous ? .unlikely : nil
        }
    }

    /// The payment as it will be.
    package func payment(after claim: Claim, now: Timestamp) -> Payment {
        switch end {
        case .succeeded(let effect, _): effect.apply(to: claim.payment, now: now)
        case .failed: claim.payment.moved(to: claim.operation.origin ?? .failed, activeOperation: nil)
        }
    }

    /// The bank's id of what it did.
    package var bankID: String? {
        switch end {
        case .succeeded(let effect, _): effect.bankID
        case .failed: nil
        }
    }
}

extension OperationResult {
    /// An operator has said how it ended, and the bank does not contradict.
    package static func resolved(_ claim: Claim, _ resolution: Resolution, now: Timestamp) -> OperationResult {
        switch resolution.end {
        case .succeeded(let effect, let response):
            final(
                claim,
                .succeeded,
                payment: resolution.payment(after: claim, now: now),
                response: response,
                error: nil,
                orphan: resolution.orphan,
                cause: resolution.cause(of: claim.operation.kind),
                lateNote: "late resolution refused: \(effect.bankID)"
            )
        case .failed:
            final(
                claim,
                .declined,
                payment: resolution.payment(after: claim, now: now),
                response: nil,
                error: .resolvedAsFailed,
                orphan: resolution.orphan,
                cause: resolution.cause(of: claim.operation.kind),
                lateNote: "late resolution refused: failed"
            )
        }
    }

    /// Waits for manual review again, as before it was taken: what there was to report of that is reported.
    package static func givenBack(_ claim: Claim) -> OperationResult {
        needsAttention(claim, reason: claim.operation.attentionReason, sends: claim.operation.sends)
            .keepingNotified(of: claim)
    }
}

extension Resolution {
    fileprivate func cause(of kind: OperationKind) -> String {
        "\(kind.rawValue) resolved as \(order.end.rawValue) by \(order.actor): \(order.reason)\(orphan.cause)"
    }
}

extension ReplyError {
    /// The end of an operation of which an operator says that the bank has not done it, and will not.
    static let resolvedAsFailed = ReplyError(
        code: "resolved_as_failed",
        message: "an operator has resolved this operation as failed",
        isRetryable: false,
        source: .processor
    )
}

/// What the bank says when it is asked by the key of an operation. Asking executes nothing.
package enum KeyTestimony: Hashable, Sendable {
    /// It replays the success of just this operation.
    case executed(BankEffect, BankResponse)
    /// It replays a success that is not this operation's: of another amount or id, unreadable, or another payment's. The reason is a
    /// code.
    case other(reason: String)
    /// It has stored nothing under the key, which proves nothing: it may have forgotten it.
    case unknown

    /// The reason of a replay whose id another payment has on record.
    package static let otherPayment = "bank_id_of_another_payment"

    /// - Parameters:
    ///   - answer: to an inquiry; `nil` where it says nothing that counts.
    ///   - operation: whose key was asked about.
    ///   - payment: that it belongs to.
    package init?(_ answer: BankAnswer, about operation: Operation, of payment: Payment) {
        guard case .response(let response) = answer, case .json = response.body else { return nil }
        let inquiry = BankAction.inquiry(about: operation.kind, of: payment)
        switch Verdict.of(inquiry, answer, sends: operation.sends) {
        case .succeeded(let effect, _, _): self = .executed(effect, response)
        case .needsAttention(let reason), .ambiguous(let reason, .unreadable): self = .other(reason: reason)
        case .keyUnknown: self = .unknown
        case .declined, .expired, .notSent, .notExecuted, .ambiguous: return nil
        }
    }

    /// Completes the sentence "…; <what follows from it>".
    package var explanation: String {
        switch self {
        case .executed(let effect, _): "the bank has executed it as \(effect.bankID)"
        case .other(let reason): "what the bank replays under its key is not what it asked for (\(reason))"
        case .unknown: "the bank knows nothing under its key"
        }
    }

    /// The name in JSON.
    package var name: String {
        switch self {
        case .executed: "executed"
        case .other: "other"
        case .unknown: "unknown"
        }
    }
}

/// What the bank says when it is asked by an id of its own.
package enum IDTestimony: Hashable, Sendable {
    case found(BankEffect, BankResponse)
    /// It is something else than what the operation asked for: a code.
    case differs(reason: String)
    case unknown

    /// - Parameters:
    ///   - answer: to the question by the id; `nil` where it says nothing that counts.
    ///   - id: that was asked about.
    ///   - kind: of the operation.
    ///   - payment: as the store has it.
    ///   - isMissingProof: whether "not found" may be believed: the bank was well before and after
    ///     (docs/correctness.md#codes-that-lie).
    package init?(
        _ answer: BankAnswer,
        to id: String,
        about kind: OperationKind,
        of payment: Payment,
        isMissingProof: Bool
    ) {
        guard case .response(let response) = answer, case .json(let body) = response.body else { return nil }
        switch response.status {
        case 200:
            do throws(BankEffect.Doubt) {
                let effect = try BankEffect.read(body, answering: .inquiry(about: kind, of: payment))
                self = effect.bankID == id ? .found(effect, response) : .differs(reason: "bank_echoed_other_id")
            } catch {
                self = .differs(reason: error.code)
            }
        case 404 where body["error"]?.string == BankCode.notFound.rawValue && isMissingProof:
            self = .unknown
        default:
            return nil
        }
    }
}

extension BankEffect.Doubt {
    fileprivate var code: String {
        switch self {
        case .unreadable: "unreadable"
        case .otherStatus: "other_status"
        case .mismatch(let field): "other_\(field)"
        }
    }
}
