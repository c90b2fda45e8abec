import Testing

@testable import Core

/// docs/contract.md#order-of-checks, from the second check on.
@Suite("Claim decision", .timeLimit(.minutes(1)))
struct ClaimDecisionTests {
    private let fingerprinter = Fingerprinter(secret: Array("secret".utf8))
    private let now = PaymentFixture.createdAt.advanced(by: .seconds(60))
    private let token = ClaimToken(UniqueID(high: 5, low: 5))
    private let other = MerchantID(verified: "other")

    private func decide(
        _ command: Command,
        existing: Operation? = nil,
        payment: Payment? = nil,
        hasWaited: Bool = false,
        executed: Int64? = nil
    ) -> ClaimDecision {
        let request = ClaimRequest(
            command: command,
            operationID: OperationID(UniqueID(high: 3, low: 4)),
            token: token,
            lease: .seconds(40),
            hasWaited: hasWaited,
            executed: executed
        )
        return ClaimDecision(request, existing: existing, payment: payment, now: now, fingerprinter: fingerprinter)
    }

    private func fingerprint(_ command: Command) -> Fingerprint {
        fingerprinter.fingerprint(of: command, resolvedAmount: command.kind == .void ? nil : 5_000)
    }

    /// What becomes of a new key, for every operation and every state of its payment.
    enum Expected { case claimed, waits, rejected(RejectionCode), notStored(RejectionCode) }

    private func expected(_ kind: OperationKind, _ status: PaymentStatus?) -> Expected {
        switch (kind, status) {
        case (.authorize, nil): .claimed
        case (.authorize, .some): .rejected(.paymentExists)
        case (_, nil): .notStored(.paymentNotFound)
        case (_, .pending), (_, .capturing), (_, .voiding), (_, .refunding): .waits
        case (.capture, .authorized), (.void, .authorized), (.void, .expired), (.refund, .captured): .claimed
        default: .rejected(.invalidTransition)
        }
    }

    @Test("a new key", arguments: OperationKind.allCases, [nil] + PaymentStatus.allCases.map(Optional.some))
    func newKey(kind: OperationKind, status: PaymentStatus?) throws {
        let payment = try status.map { try PaymentFixture.payment($0) }
        let command = try PaymentFixture.command(kind)
        let decision = decide(command, payment: payment, hasWaited: true)
        switch expected(kind, status) {
        case .claimed:
            guard case .claimed(let claim) = decision.outcome, let write = decision.write else {
                Issue.record("not claimed: \(decision)")
                return
            }
            #expect(write.operation == claim.operation)
            #expect(write.payment == claim.payment)
            #expect(write.isNewOperation)
            #expect(write.isNewPayment == (kind == .authorize))
            #expect(write.transition?.from == status)
            #expect(write.transition?.to == kind.inProgress)
            #expect(write.transition?.version == claim.payment.version)
            #expect(claim.payment.activeOperation == claim.operation.id)
            #expect(claim.operation.origin == status)
            #expect(claim.operation.leaseUntil == now.advanced(by: .seconds(40)))
            #expect(claim.operation.fingerprint == fingerprint(command))
            #expect(claim.operation.firstSentAt == now)
            #expect(claim.operation.fencingToken == 1)
            #expect(claim.operation.attempts == 1)
        case .waits:
            #expect(decision.outcome == payment.map { .wait(.paymentInProgress, $0) })
            #expect(decision.write == nil)
        case .rejected(let code):
            guard case .completed(let operation, isReplay: false) = decision.outcome else {
                Issue.record("not rejected: \(decision)")
                return
            }
            #expect(operation.state == .rejected)
            #expect(operation.firstSentAt == nil)
            #expect(operation.attempts == 0)
            #expect(decision.write?.operation == operation)
            #expect(decision.write?.payment == nil)
            #expect(decision.write?.transition == nil)
            let reply = try JSONParser.parse(try #require(operation.reply))
            #expect(reply["error"]?["code"]?.string == code.rawValue)
            #expect(reply["payment"]?["status"]?.string == status?.rawValue)
        case .notStored(let code):
            #expect(decision.outcome == .rejected(code, nil))
            #expect(decision.write == nil)
        }
    }

    @Test("another merchant's payment does not exist", arguments: OperationKind.allCases)
    func otherMerchant(kind: OperationKind) throws {
        let payment = try PaymentFixture.payment(.authorized, merchant: other)
        let decision = decide(try PaymentFixture.command(kind), payment: payment, hasWaited: true)
        guard kind == .authorize else {
            #expect(decision.outcome == .rejected(.paymentNotFound, nil))
            return
        }
        guard case .completed(let operation, isReplay: false) = decision.outcome else {
            Issue.record("not rejected: \(decision)")
            return
        }
        let reply = try JSONParser.parse(try #require(operation.reply))
        #expect(reply["error"]?["code"]?.string == "payment_exists")
        #expect(reply["payment"] == .null)
    }

    @Test(
        "the amount is checked before the state, and the whole amount may be stated",
        arguments: PaymentStatus.allCases
    )
    func amount(status: PaymentStatus) throws {
        let payment = try PaymentFixture.payment(status)
        for kind in [OperationKind.capture, .refund] {
            let wrong = decide(try PaymentFixture.command(kind, amount: 4_999), payment: payment)
            guard case .completed(let operation, isReplay: false) = wrong.outcome else {
                Issue.record("not rejected: \(wrong)")
                return
            }
            let reply = try JSONParser.parse(try #require(operation.reply))
            #expect(reply["error"]?["code"]?.string == "amount_mismatch")
            let right = decide(try PaymentFixture.command(kind, amount: 5_000), payment: payment)
            #expect(right.outcome == decide(try PaymentFixture.command(kind), payment: payment).outcome)
        }
    }

    @Test("the deadline comes before the payment, and passes after its instant", arguments: OperationKind.allCases)
    func deadline(kind: OperationKind) throws {
        let passed = now.advanced(by: .microseconds(-1))
        for payment in [nil, try PaymentFixture.payment(.failed)] {
            let decision = decide(try PaymentFixture.command(kind, deadline: passed), payment: payment)
            #expect(decision.outcome == .rejected(.deadlinePassed, kind == .authorize ? nil : payment))
            #expect(decision.write == nil)
        }
        let strange = try PaymentFixture.payment(.authorized, merchant: other)
        #expect(
            decide(try PaymentFixture.command(kind, deadline: passed), payment: strange).outcome
                == .rejected(.deadlinePassed, nil)
        )
        let punctual = decide(try PaymentFixture.command(kind, deadline: now))
        #expect(punctual.outcome != .rejected(.deadlinePassed, nil))
    }

    // MARK: A key that is known

    private func known(
        _ state: OperationState,
        leaseUntil: Timestamp,
        token: ClaimToken = ClaimToken(UniqueID(high: 9, low: 9)),
        sends: EarlierSends = .none,
        deadline: Timestamp? = nil
    ) throws -> (decision: ClaimDecision, existing: Operation) {
        let command = try PaymentFixture.command(.capture, deadline: deadline)
        let existing = try PaymentFixture.operation(
            .capture,
            state,
            fencingToken: 3,
            attempts: 4,
            token: token,
            leaseUntil: leaseUntil,
            sends: sends,
            fingerprint: fingerprint(command)
        )
        let payment = try PaymentFixture.payment(state.isFinal ? .captured : .capturing)
        return (decide(command, existing: existing, payment: payment), existing)
    }

    @Test(
        "a final outcome is replayed, whatever the deadline says",
        arguments: [OperationState.succeeded, .declined, .rejected]
    )
    func replay(state: OperationState) throws {
        let (decision, existing) = try known(state, leaseUntil: now, deadline: Timestamp(microseconds: 0))
        #expect(decision.outcome == .completed(existing, isReplay: true))
        #expect(decision.write == nil)
        let (own, mine) = try known(state, leaseUntil: now, token: token)
        #expect(own.outcome == .completed(mine, isReplay: false))
    }

    @Test("an open one waits while it is leased or rests", arguments: [OperationState.sent, .unknown])
    func waits(state: OperationState) throws {
        let (decision, _) = try known(state, leaseUntil: now.advanced(by: .microseconds(1)))
        #expect(decision.outcome.heldKey != nil)
        #expect(decision.write == nil)
    }

    @Test(
        "an open one is taken over at the end of its lease",
        arguments: [OperationState.sent, .unknown],
        [false, true]
    )
    func takeover(state: OperationState, isAmbiguous: Bool) throws {
        let (decision, existing) = try known(
            state,
            leaseUntil: now,
            sends: EarlierSends(unanswered: isAmbiguous ? 1 : 0)
        )
        guard case .claimed(let claim) = decision.outcome else {
            Issue.record("not claimed: \(decision)")
            return
        }
        #expect(claim.operation.fencingToken == 4)
        #expect(claim.operation.attempts == 5)
        #expect(claim.operation.state == .sent)
        #expect(claim.operation.claimToken == token)
        #expect(claim.operation.leaseUntil == now.advanced(by: .seconds(40)))
        // A holder that never came back may have sent its request; one that put the key to rest has told.
        #expect(claim.operation.sends.unanswered == (isAmbiguous ? 1 : 0) + (state == .sent ? 1 : 0))
        #expect(claim.operation.bankKey == existing.bankKey)
        // What was never sent has no age at the bank yet.
        #expect(claim.operation.firstSentAt == (state == .unknown && !isAmbiguous ? now : existing.firstSentAt))
        #expect(claim.operation.origin == existing.origin)
        #expect(decision.write?.isNewOperation == false)
        #expect(decision.write?.payment == nil)
        #expect(decision.write?.transition == nil)
    }

    @Test(
        "one that the bank has executed is taken over before the end of its lease, from the holder that was asked about only"
    )
    func executed() throws {
        let lease = now.advanced(by: .seconds(30))
        let command = try PaymentFixture.command(.capture)
        let payment = try PaymentFixture.payment(.capturing)
        func operation(_ state: OperationState) throws -> Operation {
            try PaymentFixture.operation(
                .capture,
                state,
                fencingToken: 3,
                leaseUntil: lease,
                fingerprint: fingerprint(command)
            )
        }
        let existing = try operation(.sent)
        let seen = existing.fencingToken
        for other in [nil, seen - 1, seen + 1] {
            let decision = decide(command, existing: existing, payment: payment, executed: other)
            let held = try #require(decision.outcome.heldKey)
            #expect(held.operation == existing && held.payment == payment && held.freeIn == .seconds(30))
            #expect(decision.write == nil)
        }
        let decision = decide(command, existing: existing, payment: payment, executed: seen)
        guard case .claimed(let claim) = decision.outcome else {
            Issue.record("not claimed: \(decision)")
            return
        }
        #expect(decision.write?.operation == claim.operation)
        #expect(claim.operation.fencingToken == seen + 1)
        #expect(claim.operation.state == .unknown)
        // Should it be lost as well, the next one waits no longer.
        #expect(claim.operation.leaseUntil == lease)
        #expect(claim.operation.attempts == existing.attempts)
        #expect(claim.operation.sends.unanswered == existing.sends.unanswered + 1)
        // The answer to the commit was lost: the same claim once more.
        let again = decide(command, existing: claim.operation, payment: payment, executed: seen)
        #expect(again.outcome == decision.outcome)
        // What rests was put to rest by somebody who is there.
        let resting = decide(command, existing: try operation(.unknown), payment: payment, executed: seen)
        #expect(resting.outcome.heldKey != nil)
    }

    @Test("our own claim, whose commit was not answered, is taken up with its fencing token")
    func ownClaim() throws {
        for leaseUntil in [now.advanced(by: .seconds(30)), now] {
            let (decision, existing) = try known(.sent, leaseUntil: leaseUntil, token: token)
            guard case .claimed(let claim) = decision.outcome else {
                Issue.record("not claimed: \(decision)")
                return
            }
            var expected = existing
            expected.leaseUntil = now.advanced(by: .seconds(40))
            #expect(claim.operation == expected)
        }
    }

    @Test("what needs attention says so")
    func needsAttention() throws {
        let (decision, existing) = try known(.needsAttention, leaseUntil: now)
        #expect(decision.outcome == .needsAttention(existing, try PaymentFixture.payment(.capturing)))
        #expect(decision.write == nil)
    }

    @Test("with another fingerprint the key is reused, whatever its state", arguments: OperationState.allCases)
    func reused(state: OperationState) throws {
        let existing = try PaymentFixture.operation(.capture, state, fingerprint: Fingerprint(bytes: [1]))
        let decision = decide(
            try PaymentFixture.command(.capture, deadline: Timestamp(microseconds: 0)),
            existing: existing,
            payment: try PaymentFixture.payment(.capturing)
        )
        #expect(decision.outcome == .rejected(.idempotencyKeyReused, nil))
        #expect(decision.write == nil)
    }

    @Test("an open operation whose payment is gone needs attention")
    func paymentGone() throws {
        let command = try PaymentFixture.command(.void)
        let existing = try PaymentFixture.operation(.void, .unknown, leaseUntil: now, fingerprint: fingerprint(command))
        #expect(decide(command, existing: existing).outcome == .needsAttention(existing, nil))
    }
}
