import Core
import TestSupport
import Testing

// In no lane: these wait most of their time.
@Suite("Slow answers of the bank, and an outage for one command", .timeLimit(.minutes(10)))
struct SlowAnswerTests {
    /// An answer may come later than the timeout, and sooner than the bank's worst case is over.
    private static let patient = ["BANK_TIMEOUT": "1s", "BANK_WORST_CASE": "6s", "OPERATION_LEASE": "8s"]

    @Test(
        "a call is not cut at its timeout: the answer that comes later completes the operation",
        arguments: [OperationKind.authorize, .capture],
        ["latency", "timeout-after-execute"]
    )
    func lateAnswer(to kind: OperationKind, after fault: String) async throws {
        try await World.run(World.Settings(processor: Self.patient)) { world in
            try await world.startProcessor()
            let payment = kind == .authorize ? nil : try await world.authorized()
            let before = try await world.bank.requests().count
            try await world.bank.fault(fault, on: kind, milliseconds: 3_000)
            let command = payment.map { .capture($0) } ?? TestCommand.authorize()
            #expect(try await world.ask(command).result == "succeeded")
            let requests = try await world.bank.requests().dropFirst(before)
            #expect(requests.count == 1, "requests for one operation")
            #expect(requests.first?.status == 200)
            #expect(world.upstream.replies(to: command.correlation).count == 1)
            #expect(try await world.metric("payments_possible_orphans_total") == 0)
        }
    }

    @Test("a lone command that probes in vain is answered within a minute of the bank's return")
    func loneProbe() async throws {
        try await World.run(World.Settings(processor: World.shortLease)) { world in
            try await world.startProcessor()
            try await world.bank.fault("error-500", count: 14)
            let command = TestCommand.authorize()
            try await world.send(command)
            // Ten open the breaker; the rest are probes, two seconds and more apart.
            try await world.bankReceives(14, within: .seconds(300))
            let reply = try await world.upstream.finalReply(to: command, within: .seconds(60))
            #expect(reply.result == "succeeded")
        }
    }
}
