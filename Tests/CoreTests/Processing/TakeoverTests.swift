import Simulation
import Testing

@testable import Core

/// A command whose first holder is gone, which the store does not know: docs/correctness.md#takeover.
@Suite("A command whose holder is gone", .timeLimit(.minutes(1)))
struct TakeoverTests {
    private static func make(prefetch: Int) -> @Sendable (UInt64) -> World {
        { seed in
            var world = World(seed: seed)
            world.prefetch = prefetch
            return world
        }
    }

    /// Claims an authorize as another processor does, lets the bank execute it or not, and delivers it again. Nothing more is heard of that
    /// processor.
    ///
    /// - Returns: when it was delivered again.
    private func deliverAgain(in world: World, isExecuted: Bool) async throws -> Duration {
        let message = CommandMessage.valid(.authorize, payment: World.payment, key: "a", body: nil)
        guard case .command(let command) = CommandDecoder().decode(message) else { throw NotACommand() }
        let request = ClaimRequest(
            command: command,
            operationID: OperationID(world.random.identifier(at: world.time.now())),
            token: ClaimToken(world.random.identifier(at: world.time.now())),
            lease: world.limits.lease
        )
        guard case .claimed(let claim) = try await world.store.claim(request) else { throw NotACommand() }
        if isExecuted {
            let action = try #require(BankAction(command.parameters, for: claim.payment))
            _ = await world.bank.send(
                BankRequest(
                    action: action,
                    idempotencyKey: claim.operation.bankKey,
                    traceparent: nil,
                    timeout: world.limits.bankTimeout,
                    limit: world.limits.bankTimeout + world.limits.bankWorstCase
                )
            )
        }
        world.broker.deliver(message)
        return world.time.uptime()
    }

    private struct NotACommand: Error {}

    @Test(
        "is asked about by its key once its request must be over, and completed before the lease is",
        arguments: [64, 1]
    )
    func executed(prefetch: Int) throws {
        try World.run(make: Self.make(prefetch: prefetch)) { world in
            let begun = try await deliverAgain(in: world, isExecuted: true)
            try await world.until { !world.replies("a").isEmpty }
            let waited = world.time.uptime() - begun
            #expect(waited >= .seconds(16) && waited < .seconds(19))
            let reply = try #require(world.replies("a").first)
            #expect(reply.outcome == "succeeded" && reply.isReplayed == false)
            #expect(world.bank.requests.count == 2)
            #expect(world.bank.ledger.count == 1)
            let view = try await world.view()
            #expect(view.operations.first?.fencingToken == 2)
            #expect(view.operations.first?.attempts == 1)
            #expect(view.history.allSatisfy { !$0.cause.contains("orphan") })
            try await world.drained()
            #expect(world.bank.requests.count == 2)
        }
    }

    @Test(
        "is sent again at the end of its lease where the bank knows nothing of it, and not before",
        arguments: [64, 1]
    )
    func notExecuted(prefetch: Int) throws {
        try World.run(make: Self.make(prefetch: prefetch)) { world in
            let begun = try await deliverAgain(in: world, isExecuted: false)
            try await world.until { world.bank.ledger.count == 1 }
            let waited = world.time.uptime() - begun
            #expect(waited >= .seconds(36) && waited < .seconds(39))
            try await world.until { !world.replies("a").isEmpty }
            #expect(world.replies("a").map(\.outcome) == ["succeeded"])
            #expect(try await world.view().operations.first?.attempts == 2)
        }
    }

    @Test("is not asked about while its request may be executing: a slow bank is left alone")
    func slowBank() throws {
        let consumers = { @Sendable (world: World) in [world.consumer(), world.consumer()] }
        try World.run(make: Self.make(prefetch: 64), consumers: consumers) { world in
            world.bank.delayNext(by: .seconds(14))
            world.send(.authorize, key: "a", to: 0)
            try await world.until { world.bank.requests.count == 1 }
            world.send(.authorize, key: "a", to: 1)
            try await world.until { world.replies("a").count == 2 }
            #expect(world.bank.requests.count == 1)
        }
    }

    @Test(
        "a bank that does not understand the question is not taken for one that is unavailable",
        arguments: [false, true]
    )
    func misunderstood(isQuestion: Bool) throws {
        let time = VirtualTime()
        let breaker = CircuitBreaker(time: time, random: SeededRandom(seed: 1), observer: RecordingObserver())
        try StepExecutor(seed: 1).run(in: time) {
            let world = World()
            let attempt = BankAttempt(world.context(breaker: breaker))
            let text = BankAnswer.response(BankResponse(status: 400, body: .text("unexpected end of input")))
            let action: BankAction =
                isQuestion
                ? .inquiry(.capture, BankExpectation(authorizationID: "a"))
                : .capture(authorizationID: "a", amount: 1)
            for _ in 0..<100 {
                guard let permit = try await breaker.admit(since: nil) else { break }
                attempt.record(text, to: action, under: permit)
                breaker.end(permit)
            }
        }
        #expect((breaker.condition == .closed) == isQuestion)
    }
}
