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
