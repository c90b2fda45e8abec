import Core
import Simulation
import Testing

/// Operations that need manual review, ended by that operator's decision, over the store and the bank in memory.
@Suite("The resolution of operations", .timeLimit(.minutes(1)))
struct OperationResolverTests {
    @Test(
        "as succeeded: what the bank replays under the key needs no id; what it has forgotten is asked for by its id",
        arguments: OperationKind.allCases,
        [BankSide.executed, .forgotten]
    )
    func succeeded(kind: OperationKind, side: BankSide) throws {
        try World.run(seeds: [nil, 1]) { world in
            let bankID = try #require(try await world.needsReview(kind, side))
            let order = try World.order(kind, .succeeded, bankID: side == .executed ? nil : bankID)
            let effects = world.bank.ledger
            let plan = try await world.resolver().plan(order)
            #expect(plan.resolution.bankID == bankID)
            #expect(plan.status == kind.succeeded)
            // Until then nothing has changed.
            #expect(try await world.operation().state == .needsAttention)

            let report = try await world.resolver().carryOut(plan)
            #expect(report.closedDeadLetters == 1 && report.problems.isEmpty)
            let (view, operation) = (try await world.view(), try await world.operation())
            #expect(operation.state == .succeeded && operation.isNotified)
            #expect(operation.fencingToken == plan.operation.fencingToken + 1)
            #expect(view.payment.status == kind.succeeded && view.payment.activeOperation == nil)
            #expect(view.history.last?.cause == "\(kind.rawValue) resolved as succeeded by ada: ticket 4711")
            #expect(world.bank.ledger == effects)

            try await world.relay().relayAll()
            let reply = try #require(world.finalReplies("k").first)
            #expect(reply.outcome == "succeeded" && reply.isReplayed == true)
            #expect(reply.status == kind.succeeded.rawValue)
            let isAnsweredByBank = kind != .void || side == .executed
            #expect(reply.body["bank_response"]?.isNull != isAnsweredByBank)
            #expect(world.events.last == "payment.\(kind.succeeded.rawValue.lowercased()).v1")
            try await expectClosed(world, "resolved as succeeded: ticket 4711")
            // Whoever asks again gets the same.
            let again = try await world.ask(kind, key: "k")
            #expect(again.message.body == reply.message.body)
        }
    }

    @Test(
        "as failed: what the bank does not know is taken at the operator's word, and the payment gets its state back",
        arguments: OperationKind.allCases,
        [BankSide.nothing, .forgotten]
    )
    func failed(kind: OperationKind, side: BankSide) throws {
        try World.run(seeds: [nil, 1]) { world in
            try await world.needsReview(kind, side)
            let plan = try await world.resolver().plan(try World.order(kind, .failed))
            let back = plan.operation.origin ?? .failed
            #expect(plan.status == back && plan.resolution.key == .unknown)
            _ = try await world.resolver().carryOut(plan)
            let (view, operation) = (try await world.view(), try await world.operation())
            #expect(operation.state == .declined && operation.isNotified)
            #expect(view.payment.status == back && view.payment.activeOperation == nil)
            let cause = view.history.last?.cause
            #expect(cause?.hasPrefix("\(kind.rawValue) resolved as failed by ada: ticket 4711") == true)
            // The bank may have a hold of which nobody knows; no alarm, because an operator has looked.
            #expect(view.orphan == (kind == .authorize ? .unlikely : nil))

            try await world.relay().relayAll()
            let reply = try #require(world.finalReplies("k").first)
            #expect(reply.outcome == "declined" && reply.code == "resolved_as_failed")
            #expect(reply.body["error"]?["source"]?.string == "processor")
            #expect(reply.body["error"]?["retryable"] == .bool(false))
            #expect(reply.body["bank_response"] == .null)
            #expect(reply.status == back.rawValue)
            #expect(world.events.last == "payment.declined.v1")
            try await expectClosed(world, "resolved as failed: ticket 4711")
        }
    }

    private func expectClosed(_ world: World, _ reason: String) async throws {
        let deadLetter = try #require(try await world.deadLetters().first)
        #expect(deadLetter.state == .discarded)
        let audit = try #require(try await world.store.deadLetter(deadLetter.id)?.audit)
        #expect(audit.map(\.actor) == ["ada"] && audit.map(\.reason) == [reason])
    }

    @Test("what the bank replays contradicts another word, and nothing is done", arguments: OperationKind.allCases)
    func contradicted(kind: OperationKind) throws {
        try World.run(seeds: [nil]) { world in
            let bankID = try #require(try await world.needsReview(kind, .executed))
            let before = try await world.view()
            #expect(await world.refusal(try World.order(kind, .failed)) == .bankExecuted(bankID))
            let other = try World.order(kind, .succeeded, bankID: "other_1")
            #expect(await world.refusal(other) == .otherBankID(given: "other_1", replayed: bankID))
            #expect(try await world.view() == before)
            #expect(try await world.deadLetters([.open]).count == 1)
        }
    }

    @Test("an id that the bank does not know, or that is of something else, is refused")
    func wrongID() throws {
        try World.run(seeds: [nil]) { world in
            // Another payment's, of another amount.
            let body = CommandMessage.authorizeBody(amount: "4999")
            try await world.ask(.authorize, payment: World.payment(2), key: "a2", body: body)
            let capture = try await world.ask(.capture, payment: World.payment(2), key: "c2", body: "{}")
            let foreign = try #require(capture.body["payment"]?["bank"]?["capture_id"]?.string)
            try await world.needsReview(.capture, .forgotten)
            let needed = await world.refusal(try World.order(.capture, .succeeded))
            #expect(needed == .needsBankID(.unknown) && needed?.code == "bank_id_needed")
            #expect(
                await world.refusal(try World.order(.capture, .succeeded, bankID: "cap_none"))
                    == .bankIDUnknown(.capture, "cap_none")
            )
            #expect(
                await world.refusal(try World.order(.capture, .succeeded, bankID: foreign))
                    == .bankIDDiffers(foreign, reason: "other_authorization_id")
            )
            #expect(try await world.operation().state == .needsAttention)
        }
    }

    @Test("an id that another payment has on record is refused, also where the bank replays it")
    func takenID() throws {
        try World.run(seeds: [nil]) { world in
            let other = try await world.ask(.authorize, payment: World.payment(2), key: "a2")
            let taken = try #require(other.body["payment"]?["bank"]?["authorization_id"]?.string)
            try await world.needsReview(.authorize, .nothing)
            let order = try World.order(.authorize, .succeeded, bankID: taken)
            let owner = PaymentID(World.payment(2))
            #expect(await world.refusal(order) == .bankIDTaken(taken, by: owner))

            // A bank that replays the other payment's: that is no success of this operation, so it may be said to have failed.
            let resolver = world.resolver(bank: ReplayingBank(bank: world.bank, id: taken))
            #expect(
                await world.refusal(try World.order(.authorize, .succeeded), resolver)
                    == .needsBankID(.other(reason: "bank_id_of_another_payment"))
            )
            let plan = try await resolver.plan(try World.order(.authorize, .failed))
            _ = try await resolver.carryOut(plan)
            #expect(try await world.view().payment.status == .failed)
            #expect(try await world.view().orphan == .unlikely)
        }
    }

    @Test("an id that is taken in the last moment is refused, and the operation needs manual review as before")
    func takenMeanwhile() throws {
        try World.run(seeds: [nil]) { world in
            let other = try await world.ask(.authorize, payment: World.payment(2), key: "a2")
            let taken = try #require(other.body["payment"]?["bank"]?["authorization_id"]?.string)
            try await world.needsReview(.authorize, .nothing)
            let before = try await world.operation()
            let resolver = world.resolver(store: BlindStore(store: world.store))
            let plan = try await resolver.plan(try World.order(.authorize, .succeeded, bankID: taken))
            await #expect(throws: ResolutionRefusal.bankIDTaken(taken, by: nil)) { try await resolver.carryOut(plan) }
            let after = try await world.operation()
            #expect(after.state == .needsAttention && after.isNotified && after.fencingToken == before.fencingToken + 1)
            #expect(after.lastError == before.lastError && after.sends == before.sends)
            // Nothing is reported twice, and its dead letter is there still.
            try await world.relay().relayAll()
            #expect(world.replies("k").count == 1)
            #expect(try await world.deadLetters([.open]).count == 1)
            #expect(try await world.reconcile().run(until: StopFlag()).examined == 0)
        }
    }

    @Test("a second unanswered request of an authorize is a suspected orphan, whatever the operator says of the first")
    func orphan() throws {
        try World.run(seeds: [nil]) { world in
            let bankID = try #require(
                try await world.needsReview(.authorize, .forgotten, sends: EarlierSends(unanswered: 2))
            )
            let plan = try await world.resolver().plan(try World.order(.authorize, .succeeded, bankID: bankID))
            _ = try await world.resolver().carryOut(plan)
            #expect(try await world.view().orphan == .suspected)
            #expect(try await world.view().history.last?.cause.contains("possible orphan") == true)
            let observed = world.count { if case .possibleOrphan(_, .suspected) = $0 { true } else { false } }
            #expect(observed == 1)
        }
    }
}
