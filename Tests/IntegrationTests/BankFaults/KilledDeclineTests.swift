import Core
import TestSupport
import Testing

extension FaultLane {
    /// A send without an answer, and then the bank declines: nothing that manual review must decide
    /// (docs/correctness.md#decline-after-silence).
    @Suite("Declines after a send without an answer", .timeLimit(.minutes(15)))
    struct KilledDeclineTests {
        @Test("a processor killed while the bank checks cards without funds: every command is declined in the end")
        func killedInMidCall() async throws {
            try await World.run(World.Settings(processor: World.shortLease)) { world in
                let first = try await world.startProcessor()
                let count = 20 * TestScale.bankFaults
                try await world.bank.fault("latency", on: .authorize, count: count, milliseconds: 1_500)
                let cards: [TestCard] = [.empty, .expired]
                let commands = (0..<count).map { TestCommand.authorize(card: cards[$0 % cards.count]) }
                try await world.send(commands)
                try await world.bankReceives(count)
                try await first.child.crash()
                try await world.startProcessor()

                let tally = try await world.tally(of: commands, within: .seconds(120))
                try #require(tally == ["declined insufficient_funds": count / 2, "declined card_expired": count / 2])
                #expect(try await world.openDeadLetters() == 0)
            }
        }

        @Test("a processor that starts during an outage does not send its whole backlog to a dead bank")
        func rollingRestart() async throws {
            try await World.run(World.Settings(processor: World.shortLease)) { world in
                let first = try await world.startProcessor()
                _ = try await world.authorized()
                try await world.bank.fault("down", count: nil)
                var commands = try await decline(40, in: world)
                try await eventually("the breaker opened") { try await world.metric("payments_breaker_open") == 1 }
                commands += try await decline(100, in: world)
                let second = try await world.startProcessor()
                #expect(try await first.terminate() == .status(0))
                // The bank's record does not say who asked: what the first one had under way counts for nobody here.
                let sends = { try await world.metric("payments_bank_calls_total", of: second) }
                try await eventually("the second one probed, and knew that the bank is out", within: .seconds(120)) {
                    guard try await world.metric("payments_breaker_open", of: second) == 1 else { return false }
                    return try await sends() >= 2
                }
                // Fewer than it takes to find out that the bank is out: it was known.
                #expect(try await sends() < 10, "sends of a processor that starts while the bank is down")

                try await world.bank.clearFaults()
                commands += try await decline(30, in: world)
                let tally = try await world.tally(of: commands, within: .seconds(180))
                try #require(tally == ["declined insufficient_funds": commands.count])
                #expect(try await world.openDeadLetters() == 0)
            }
        }

        /// Sends commands that the bank declines.
        private func decline(_ count: Int, in world: World) async throws -> [TestCommand] {
            let commands = (0..<count).map { _ in TestCommand.authorize(card: .empty) }
            try await world.send(commands)
            return commands
        }
    }
}
