package import Core

/// Judges a world by docs/correctness.md#invariants.
struct Checker {
    let evidence: Evidence
    private(set) var violations: [Violation] = []

    static func judge(_ evidence: Evidence) -> [Violation] {
        var checker = Checker(evidence: evidence)
        checker.checkDrained()
        checker.checkMessages()
        checker.checkAttention()
        checker.checkKeys()
        checker.checkBank()
        checker.checkMemory()
        checker.checkSweeps()
        checker.checkNotifying()
        for view in evidence.rows.views { checker.check(view) }
        checker.checkOrder()
        return checker.violations
    }

    init(evidence: Evidence) {
        self.evidence = evidence
    }

    mutating func expect(
        _ holds: Bool,
        _ invariant: Violation.Invariant,
        _ payment: PaymentID?,
        _ text: @autoclosure () -> String
    ) {
        if !holds { violations.append(Violation(invariant, payment, text())) }
    }

    // MARK: Everything drains

    private mutating func checkDrained() {
        let backlog = evidence.backlog
        expect(evidence.hasDrained, .drains, nil, "\(backlog) messages still wait, hours after the last fault")
        for operation in evidence.rows.operations where !operation.state.isFinal && operation.state != .needsAttention {
            // What the broker has given up waits for an operator.
            let isWithOperator = evidence.openDeadLetterKeys.contains(operation.idempotencyKey.description)
            // One that was opened by a process that came too late, when another had answered the command with a rejection that is
            // not stored, has no message any more that would drive it. The sweep gives it up when no card has come for most of a day.
            let isLeftToSweep = evidence.rejectedKeys.contains(operation.idempotencyKey.description)
            // What the store has forgotten, the sweep asks for.
            let isForgotten = evidence.forgotten.keys.contains(operation.idempotencyKey.description)
            let isExcused = isWithOperator || isLeftToSweep || isForgotten
            let isWaiting = operation.kind == .authorize && !evidence.hasSwept && isExcused
            expect(
                isWaiting,
                .drains,
                operation.paymentID,
                "\(operation.name) stays \(operation.state.rawValue)"
            )
        }
    }

    // MARK: A payment: money moves once, ledgers agree, legal history

    private mutating func check(_ view: PaymentView) {
        let payment = view.payment
        let effects = evidence.ledger.filter { $0.authorizationID == payment.bank.authorizationID }.map(\.operation)
        let (captures, voids) = (effects.count { $0 == .capture }, effects.count { $0 == .void })
        expect(captures + voids <= 1, .movesOnce, payment.id, "\(captures) captures and \(voids) voids")
        expect(effects.count { $0 == .refund } <= captures, .movesOnce, payment.id, "refunded too often")

        let steps = view.history.filter { $0.from != $0.to }
        expect(
            Int64(steps.count) == payment.version,
            .legalHistory,
            payment.id,
            "\(steps.count) steps, version \(payment.version)"
        )
        expect(steps.last?.to == payment.status, .legalHistory, payment.id, "the history ends elsewhere")
        for (before, after) in zip([nil] + steps.map(Optional.some), steps) {
            let isLegal = before.map { after.from == $0.to && $0.to.mayBecome(after.to) } ?? (after.to == .pending)
            expect(
                isLegal,
                .legalHistory,
                payment.id,
                "from \(after.from?.rawValue ?? "nothing") to \(after.to.rawValue)"
            )
        }
        for operation in view.operations { check(operation, of: view) }
        guard view.operations.allSatisfy(\.state.isFinal) else { return }
        // What the store has lost may be asked for again too late, or in another order, or not at all.
        if evidence.forgotten.payments.contains(payment.id) { return }
        checkAgreement(payment, Set(effects))
    }

    private mutating func checkAgreement(_ payment: Payment, _ effects: Set<OperationKind>) {
        let expected: Set<OperationKind>? =
            switch payment.status {
            case .authorized, .expired: [.authorize]
            case .captured: [.authorize, .capture]
            case .voided: [.authorize, .void]
            case .refunded: [.authorize, .capture, .refund]
            case .failed: []
            case .pending, .capturing, .voiding, .refunding: nil
            }
        let text = effects.map(\.rawValue).sorted().joined(separator: ", ")
        expect(
            expected == effects,
            .ledgersAgree,
            payment.id,
            "we say \(payment.status.rawValue), the bank says [\(text)]"
        )
    }

    // MARK: An operation: one effect per key, ledgers agree

    private mutating func check(_ operation: Operation, of view: PaymentView) {
        let effects = evidence.ledger.filter { $0.idempotencyKey == operation.bankKey }
        let needsAttention = operation.state == .needsAttention
        switch operation.kind {
        case .authorize:
            // The bank leaves a gap (docs/correctness.md#unlocked-keys, docs/correctness.md#lost-keys): then there is
            // one hold that we know, and the rest is recorded.
            let isRecorded =
                needsAttention || haveBothForgotten(operation) || view.history.contains { $0.cause.contains("orphan") }
            expect(
                effects.count <= 1 || isRecorded,
                .oneEffect,
                view.payment.id,
                "\(effects.count) holds, and no word of it"
            )
        case .capture, .void, .refund:
            // Where store and bank have forgotten it, and the authorize before it, it may be done again for the second hold.
            expect(
                effects.count <= 1 || haveBothForgotten(operation),
                .oneEffect,
                view.payment.id,
                "\(operation.name) took effect \(effects.count) times"
            )
        }
        switch operation.state {
        case .succeeded:
            expect(!effects.isEmpty, .ledgersAgree, view.payment.id, "\(operation.name) succeeded, but not at the bank")
        case .declined, .rejected:
            // A decline of an authorize after a request whose key the bank has lost: the hold is nobody's, and recorded.
            let isOrphan = operation.kind == .authorize && view.history.contains { $0.cause.contains("orphan") }
            expect(
                effects.isEmpty || operation.state == .declined && isOrphan
                    || evidence.forgotten.payments.contains(view.payment.id),
                .ledgersAgree,
                view.payment.id,
                "\(operation.name) is \(operation.state.rawValue), but the bank did it"
            )
        case .sent, .unknown, .needsAttention: break
        }
    }

    /// Where both have forgotten, the store its row and the bank its key, nobody can know; nor where the store has forgotten it and either the
    /// process that asked was gone when the answer came, or another one asked meanwhile.
    private func haveBothForgotten(_ operation: Operation) -> Bool {
        evidence.forgotten.keys.contains(operation.idempotencyKey.description)
            && evidence.lostKeys.union(evidence.unheardKeys).union(evidence.overlappedKeys).contains(operation.bankKey)
    }

    private mutating func checkBank() {
        let keys = Set(evidence.rows.operations.map(\.bankKey))
        // What a database has forgotten may never be asked for again.
        let isForgetful = evidence.forgotten.rows > 0
        for effect in evidence.ledger where !keys.contains(effect.idempotencyKey) && !isForgetful {
            expect(false, .ledgersAgree, nil, "the bank did \(effect.operation) under a key that no operation has")
        }
        let overlaps = evidence.overlaps
        expect(overlaps == 0, .oneEffect, nil, "\(overlaps) requests while another one had their key")
    }
}

extension Operation {
    /// For a reader.
    var name: String { "\(kind.rawValue) \(idempotencyKey)" }
}

/// A promise that was broken.
package struct Violation: Hashable, Sendable, CustomStringConvertible {
    /// Rules of docs/correctness.md, by their anchors there.
    package enum Invariant: String, CaseIterable, Sendable {
        case nothingIsLost = "nothing-is-lost"
        case oneEffect = "one-effect-per-key"
        case movesOnce = "money-moves-once"
        case ledgersAgree = "ledgers-agree"
        case sameReply = "same-key-same-reply"
        case legalHistory = "legal-history"
        case outcomesAreReported = "outcomes-are-reported"
        case slotsOnce = "a-slot-runs-once"
        case drains = "everything-drains"
        /// What a store has forgotten takes no second effect.
        case forgetsSafely = "forgetting-is-safe"
        /// Nobody is held up or overtaken: commands of one payment keep their order (docs/correctness.md#overtaking).
        case keepsOrder = "overtaking"
        /// When nobody comes or goes any more, every partition is read by its owner.
        case sharesEvenOut = "shared-queues"
        /// A processor that starts in an outage does not send what it has to a bank that is unavailable
        /// (docs/correctness.md#starting-in-an-outage).
        case startsCarefully = "starting-in-an-outage"
        /// A call that is given up on is not cut: that is what makes the bank forget (docs/correctness.md#cut-calls).
        case cutsNoCall = "cut-calls"
    }

    package let invariant: Invariant
    package let payment: PaymentID?
    package let text: String

    init(_ invariant: Invariant, _ payment: PaymentID?, _ text: String) {
        self.invariant = invariant
        self.payment = payment
        self.text = text
    }

    package var description: String {
        "\(invariant.rawValue): \(text)" + (payment.map { " (payment \($0))" } ?? "")
    }
}
