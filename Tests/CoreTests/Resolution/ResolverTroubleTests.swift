import Core
import Simulation
import StoreContract
import Testing

/// What goes wrong while an operator ends an operation: the bank, the store, others who are at it.
@Suite("The resolution of operations in trouble", .timeLimit(.minutes(1)))
struct ResolverTroubleTests {
    @Test("where the bank cannot be asked, nothing is done")
    func unreachable() throws {
        try World.run(seeds: [nil]) { world in
            try await world.needsReview(.capture, .nothing)
            world.bank.setDown(true)
            for end in ResolutionOrder.End.allCases {
                let refusal = await world.refusal(try World.order(.capture, end))
                #expect(refusal == .bankUnavailable("connection_refused") && refusal?.code == "unavailable")
            }
            world.bank.setDown(false)
            // Its own errors are asked again; of one that never ends nothing is learnt.
            world.bank.inject(.error500, .error400, into: .capture)
            #expect(try await world.resolver().plan(try World.order(.capture, .failed)).resolution.key == .unknown)
            world.bank.inject(.error500, .error500, .error500, .error500, into: .capture)
            #expect(await world.refusal(try World.order(.capture, .failed)) == .bankUnavailable("http_500"))
            #expect(try await world.operation().state == .needsAttention)
        }
    }

    @Test("a bank that is ill is not believed when it knows nothing under the key")
    func ill() throws {
        try World.run(seeds: [nil]) { world in
            try await world.needsReview(.capture, .nothing)
            let resolver = world.resolver(bank: IllBank(bank: world.bank))
            let refusal = await world.refusal(try World.order(.capture, .failed), resolver)
            #expect(refusal == .bankUnavailable("unhealthy"))
        }
    }

    @Test("only what needs manual review is resolved, and only as it was read")
    func changed() throws {
        try World.run(seeds: [nil]) { world in
            try await world.needsReview(.capture, .nothing)
            let plan = try await world.resolver().plan(try World.order(.capture, .failed))
            // Somebody replays its dead letter meanwhile: the bank executes it.
            let deadLetter = try #require(try await world.deadLetters([.open]).first)
            _ = try await world.service.replay([deadLetter.id], by: "bob")
            try await world.until { world.finalReplies("k").count == 1 }
            await #expect(throws: ResolutionRefusal.changed) { try await world.resolver().carryOut(plan) }
            #expect(try await world.view().payment.status == .captured)
            let refusal = await world.refusal(try World.order(.capture, .failed))
            #expect(refusal?.code == "wrong_state")
            #expect(refusal?.explanation.contains("capture k is SUCCEEDED") == true)
            #expect(await world.refusal(try World.order(.void, .failed))?.code == "not_found")
        }
    }

    @Test("several resolutions at the same time: one is done, the others are refused")
    func twice() throws {
        try World.run(seeds: [nil, 1, 2, 3]) { world in
            try await world.needsReview(.capture, .nothing)
            let plan = try await world.resolver().plan(try World.order(.capture, .failed))
            let done = try await withThrowingTaskGroup(of: Bool.self) { group in
                for _ in 0..<3 {
                    group.addTask {
                        do throws(ResolutionRefusal) {
                            _ = try await world.resolver().carryOut(plan)
                            return true
                        } catch {
                            #expect(error == .changed)
                            return false
                        }
                    }
                }
                return try await group.reduce(into: 0) { $0 += $1 ? 1 : 0 }
            }
            #expect(done == 1)
            #expect(try await world.view().history.count { $0.cause.contains("resolved as failed") } == 1)
        }
    }

    @Test(
        "a commit whose answer is lost is repeated, and done once",
        arguments: [StoreFault.lostAfterCommit, .lostBeforeCommit]
    )
    func lostCommits(fault: StoreFault) throws {
        try World.run(seeds: [nil, 1]) { world in
            try await world.needsReview(.capture, .nothing)
            let plan = try await world.resolver().plan(try World.order(.capture, .failed))
            world.store.inject(fault, into: .claim)
            world.store.inject(fault, into: .complete)
            _ = try await world.resolver().carryOut(plan)
            #expect(try await world.operation().state == .declined)
            #expect(try await world.operation().fencingToken == plan.operation.fencingToken + 1)
            try await world.relay().relayAll()
            #expect(world.finalReplies("k").count == 1)
        }
    }

    @Test("dead letters that cannot be closed are reported, and the operation has ended all the same")
    func deadLettersStay() throws {
        try World.run(seeds: [nil]) { world in
            try await world.needsReview(.capture, .nothing)
            let plan = try await world.resolver().plan(try World.order(.capture, .failed))
            world.store.inject(.unavailable, into: .deadLetters)
            let report = try await world.resolver().carryOut(plan)
            #expect(report.closedDeadLetters == 0)
            #expect(report.problems == ["its dead letters are not all discarded: store unavailable (08006)"])
            #expect(try await world.operation().state == .declined)
            #expect(try await world.deadLetters([.open]).count == 1)
        }
    }

    @Test("a process that dies in the middle leaves an operation that the sweep goes on with after the lease")
    func crash() throws {
        try World.run(seeds: [nil]) { world in
            let bankID = try #require(try await world.needsReview(.capture, .executed))
            let token = ClaimToken(world.random.identifier(at: world.time.now()))
            let seen = try await world.operation()
            let claim = try await world.store.takeForResolution(seen, by: token, lease: world.limits.lease)
            #expect(claim?.operation.state == .sent)
            #expect(await world.refusal(try World.order(.capture, .succeeded))?.code == "wrong_state")
            try await world.time.sleep(for: .seconds(40))
            #expect(try await world.reconcile().run(until: StopFlag()).resolved == 1)
            #expect(try await world.view().payment.bank.captureID == bankID)
            #expect(world.bank.ledger.count { $0.operation == .capture } == 1)
        }
    }

    @Test("a store that goes away before the end is written leaves it to the sweep")
    func storeLost() throws {
        try World.run(seeds: [nil]) { world in
            try await world.needsReview(.capture, .executed)
            let resolver = world.resolver(store: CompletingNowhere(store: world.store))
            let plan = try await resolver.plan(try World.order(.capture, .succeeded))
            let error = StoreError(.unavailable, detail: "08006")
            await #expect(throws: ResolutionRefusal.storeFailed(error)) { try await resolver.carryOut(plan) }
            #expect(try await world.operation().state == .sent)
            #expect(try await world.deadLetters([.open]).count == 1)
            try await world.time.sleep(for: .seconds(40))
            #expect(try await world.reconcile().run(until: StopFlag()).resolved == 1)
            #expect(try await world.view().payment.status == .captured)
        }
    }
}
