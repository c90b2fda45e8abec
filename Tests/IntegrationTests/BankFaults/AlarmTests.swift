import TestSupport
import Testing

// In no lane: some of it waits on the retry ladder.
@Suite("Alarms about second holds", .timeLimit(.minutes(10)))
struct AlarmTests {
    @Test(
        "a bank that now and then answers with a complete error before it executes anything raises no alarm (trap D13)"
    )
    func calm() async throws {
        // The bank's usual rate of errors, twice over.
        let settings = World.Settings(bank: ["FAILURE_RATE": "0.1"], processor: World.shortLease)
        try await World.run(settings) { world in
            try await world.startProcessor()
            let commands = (0..<150 * TestScale.bankFaults).map { _ in TestCommand.authorize() }
            for start in stride(from: 0, to: commands.count, by: 10) {
                let some = Array(commands[start..<start + 10])
                try await world.send(some)
                _ = try await world.upstream.finalReplies(to: some)
            }
            let failed = try await world.bank.requests().count { $0.status == 500 }
            try #require(failed > 0)
            #expect(try await world.metric("payments_possible_orphans_total") == 0)
        }
    }
}
