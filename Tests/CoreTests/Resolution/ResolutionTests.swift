import Testing

@testable import Core

/// What an operator's decision and the bank's make together.
@Suite("Resolution", .timeLimit(.minutes(1)))
struct ResolutionTests {
    private static func order(_ end: ResolutionOrder.End, bankID: String? = nil) throws -> ResolutionOrder {
        try ResolutionOrder(
            paymentID: try #require(PaymentID(CommandMessage.paymentID)),
            operation: "k-1",
            end: end,
            bankID: bankID,
            reason: "because",
            actor: "ada"
        )
    }

    /// Every word against every testimony.
    @Test("the table of resolutions", arguments: OperationKind.allCases)
    func table(kind: OperationKind) throws {
        let operation = try PaymentFixture.operation(kind, .needsAttention)
        let effect = BankFixture.effect(kind)
        let response = BankResponse(status: 200, body: .json(BankFixture.success(kind)), isReplayed: true)
        let executed = KeyTestimony.executed(effect, response)
        func step(_ order: ResolutionOrder, _ key: KeyTestimony) -> Result<Resolution.Step, ResolutionRefusal> {
            Result { () throws(ResolutionRefusal) in try Resolution.after(key, order, operation) }
        }
        func end(_ step: Result<Resolution.Step, ResolutionRefusal>) -> Resolution.End? {
            if case .success(.complete(let resolution)) = step { resolution.end } else { nil }
        }
        let (failed, succeeded) = (try Self.order(.failed), try Self.order(.succeeded))
        let named = try Self.order(.succeeded, bankID: effect.bankID)
        let misnamed = try Self.order(.succeeded, bankID: "other")

        #expect(step(failed, executed) == .failure(.bankExecuted(effect.bankID)))
        #expect(end(step(succeeded, executed)) == .succeeded(effect, response))
        #expect(end(step(named, executed)) == .succeeded(effect, response))
        #expect(step(misnamed, executed) == .failure(.otherBankID(given: "other", replayed: effect.bankID)))
        for key in [KeyTestimony.unknown, .other(reason: "bank_echoed_other_amount")] {
            #expect(end(step(failed, key)) == .failed)
            #expect(step(succeeded, key) == .failure(.needsBankID(key)))
            let asked: BankQuery? =
                switch kind {
                case .authorize: .authorization(effect.bankID)
                case .capture: .capture(effect.bankID)
                case .refund: .refund(effect.bankID)
                case .void: nil
                }
            if let asked {
                #expect(step(named, key) == .success(.ask(asked)))
            } else {
                // The bank has no question for it.
                #expect(end(step(named, key)) == .succeeded(.voided(voidID: "void_1", at: nil), nil))
            }
        }
    }

    @Test("the bank's word by the id decides where its key says nothing")
    func afterID() throws {
        let operation = try PaymentFixture.operation(.capture, .needsAttention)
        let order = try Self.order(.succeeded, bankID: "cap_1")
        let response = BankResponse(status: 200, body: .json(BankFixture.success(.capture)))
        let effect = BankFixture.effect(.capture)
        func after(_ testimony: IDTestimony) throws(ResolutionRefusal) -> Resolution {
            try Resolution.after(testimony, to: "cap_1", .unknown, order, operation)
        }
        #expect(try after(.found(effect, response)).end == .succeeded(effect, response))
        #expect(throws: ResolutionRefusal.bankIDUnknown(.capture, "cap_1")) { try after(.unknown) }
        #expect(throws: ResolutionRefusal.bankIDDiffers("cap_1", reason: "other_amount")) {
            try after(.differs(reason: "other_amount"))
        }
    }

    @Test(
        "what an authorize may have left at the bank is on record",
        arguments: [
            (.failed, .unknown, EarlierSends(unanswered: 1), .unlikely), (.failed, .unknown, .none, nil),
            (.failed, .unknown, EarlierSends(failed: 1), .unlikely),
            (.failed, .other(reason: "bank_echoed_other_amount"), .none, .suspected),
            (.failed, .other(reason: KeyTestimony.otherPayment), .none, nil),
            (.succeeded, nil, EarlierSends(unanswered: 1), nil),
            (.succeeded, nil, EarlierSends(unanswered: 2), .suspected),
        ] as [(ResolutionOrder.End, KeyTestimony?, EarlierSends, PossibleOrphan?)]
    )
    func orphans(
        end: ResolutionOrder.End,
        key: KeyTestimony?,
        sends: EarlierSends,
        expected: PossibleOrphan?
    ) throws {
        for kind in OperationKind.allCases {
            let operation = try PaymentFixture.operation(kind, .needsAttention, sends: sends)
            let response = BankResponse(status: 200, body: .json(BankFixture.success(kind)))
            let testimony = key ?? .executed(BankFixture.effect(kind), response)
            guard case .complete(let resolution) = try Resolution.after(testimony, Self.order(end), operation) else {
                Issue.record("more is asked")
                continue
            }
            #expect(resolution.orphan == (kind == .authorize ? expected : nil))
        }
    }

    // MARK: Orders

    @Test(
        "an order that cannot be is refused by the name of its field",
        arguments: [
            ("", nil, "r", "a", "operation"), ("k", "", "r", "a", "bank_id"), ("k", "x\n", "r", "a", "bank_id"),
            ("k", nil, "", "a", "reason"), ("k", nil, "a\u{1b}[m", "a", "reason"), ("k", nil, "r", "", "operator"),
            ("k", nil, String(repeating: "x", count: 501), "a", "reason"),
        ] as [(String, String?, String, String, String)]
    )
    func invalid(operation: String, bankID: String?, reason: String, actor: String, field: String) throws {
        let payment = try #require(PaymentID(CommandMessage.paymentID))
        #expect {
            try ResolutionOrder(
                paymentID: payment,
                operation: operation,
                end: .succeeded,
                bankID: bankID,
                reason: reason,
                actor: actor
            )
        } throws: { error in
            (error as? InvalidField)?.field == field
        }
    }

    @Test("an id of the bank goes with succeeded only; a reason may be long, and holds no card number")
    func orders() throws {
        #expect(throws: InvalidField("bank_id", "goes with 'succeeded' only")) {
            try Self.order(.failed, bankID: "cap_1")
        }
        let order = try ResolutionOrder(
            paymentID: try #require(PaymentID(CommandMessage.paymentID)),
            operation: "k",
            end: .failed,
            reason: "card 4111111111111111" + String(repeating: "x", count: 479),
            actor: "ada 4111111111111111"
        )
        #expect(order.reason.hasPrefix("card 411111******1111x"))
        #expect(order.actor == "ada 411111******1111")
    }

    private static func choice(_ word: String, _ operations: [Operation], merchant: MerchantID? = nil) throws
        -> Operation
    {
        let order = try ResolutionOrder(
            paymentID: try #require(PaymentID(CommandMessage.paymentID)),
            merchantID: merchant,
            operation: word,
            end: .failed,
            reason: "r",
            actor: "a"
        )
        let payment = try PaymentFixture.held(by: .capture)
        return try order.choice(from: PaymentView(payment: payment, history: [], operations: operations))
    }

    @Test("an operation is named by its key, or by its kind where one only needs manual review")
    func choice() throws {
        let capture = try PaymentFixture.operation(.capture, .needsAttention)
        let done = try PaymentFixture.operation(.authorize, .succeeded)
        for word in ["k-1", "capture"] { #expect(try Self.choice(word, [done, capture]) == capture) }
        #expect {
            try Self.choice("void", [done, capture])
        } throws: { error in
            let refusal = error as? ResolutionRefusal
            return refusal?.code == "not_found"
                && refusal?.explanation.contains("authorize k-1 is SUCCEEDED, capture k-1 is NEEDS_ATTENTION") == true
        }
        #expect {
            try Self.choice("capture", [capture, capture])
        } throws: { error in
            (error as? ResolutionRefusal)?.code == "ambiguous_operation"
        }
        #expect(throws: ResolutionRefusal.otherState([OperationName(done)])) { try Self.choice("authorize", [done]) }
        #expect {
            try Self.choice("capture", [capture], merchant: MerchantID("other"))
        } throws: { error in
            (error as? ResolutionRefusal)?.code == "not_found"
        }
        // The payment is held by another one.
        let stray = try PaymentFixture.operation(
            .void,
            .needsAttention,
            id: OperationID(UniqueID(high: 3, low: 3))
        )
        #expect(throws: ResolutionRefusal.notActive(.capturing)) { try Self.choice("void", [stray]) }
    }

    // MARK: Results

    @Test(
        "a resolution as failed is a decline of our own, with the payment as it was before",
        arguments: OperationKind.allCases
    )
    func result(kind: OperationKind) throws {
        let claim = Claim(
            operation: try PaymentFixture.operation(kind, .sent),
            payment: try PaymentFixture.held(by: kind)
        )
        guard case .complete(let resolution) = try Resolution.after(.unknown, Self.order(.failed), claim.operation)
        else {
            Issue.record("more is asked")
            return
        }
        let result = OperationResult.resolved(claim, resolution, now: Timestamp(microseconds: 42))
        #expect(result.operation.state == .declined)
        #expect(result.payment?.status == claim.operation.origin ?? .failed)
        #expect(result.transition?.cause == "\(kind.rawValue) resolved as failed by ada: because")
        let reply = try JSONParser.parse(try #require(result.operation.reply))
        #expect(
            reply["error"].map { String(decoding: $0.encoded, as: UTF8.self) }
                == #"{"code":"resolved_as_failed","message":"an operator has resolved this operation as failed","#
                + #""retryable":false,"source":"processor"}"#
        )
        #expect(reply["bank_response"] == .null && reply["final"] == .bool(true))
        #expect(PaymentEvent.of(result.operation).map(\.name) == [.declined])
    }

    @Test("what is given back waits for manual review as before, with nothing new to report", arguments: [true, false])
    func givenBack(isNotified: Bool) throws {
        var operation = try PaymentFixture.operation(.capture, .sent, sends: EarlierSends(unanswered: 2))
        operation.lastError = "bank_timeout"
        operation.isNotified = isNotified
        let back = OperationResult.givenBack(
            Claim(operation: operation, payment: try PaymentFixture.held(by: .capture))
        )
        #expect(back.operation.state == .needsAttention && back.operation.isNotified == isNotified)
        #expect(back.operation.lastError == "bank_timeout" && back.operation.sends.unanswered == 2)
        #expect(back.payment == nil && back.outbox.isEmpty)
    }
}
