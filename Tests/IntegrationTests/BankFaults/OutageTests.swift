import AMQP
import Core
import HTTPClient
import TestSupport
import Testing

extension OutageLane {
    @Suite("Outages of the bank", .timeLimit(.minutes(15)))
    struct OutageTests {
        /// Time enough for the backlog of an outage in a debug build on a busy machine.
        private static let patience = Duration.seconds(400)

        @Test("a bank that is out for two minutes under 100 commands a second costs nothing but time")
        func twoMinutes() async throws {
            try await World.run(World.Settings(processor: World.shortLease)) { world in
                let processor = try await world.startProcessor()
                let web = try await processor.admin()
                _ = try await world.authorized()
                try await world.bank.fault("down", count: nil)
                let commands = try await Self.publish(for: .seconds(120), to: world)

                #expect(["200 open", "200 half-open"].contains(try await Self.readiness(web)))
                #expect(try await web.text("/metrics").contains("payments_breaker_open 1"))
                // The queues hold the backlog. What is on a retry tier had been taken before the breaker opened, or for
                // a probe.
                let (waiting, resting) = try await Self.depths(world)
                #expect(waiting > commands.count / 2, "\(waiting) wait, \(resting) rest")
                #expect(resting < commands.count / 4, "\(waiting) wait, \(resting) rest")
                // What the outage refused is no attempt.
                let attempted = try await world.database.number("SELECT count(*) FROM operations")
                #expect(attempted < commands.count / 4)

                try await world.bank.clearFaults()
                let replies = try await world.upstream.finalReplies(to: commands, within: Self.patience)
                #expect(replies.allSatisfy { $0.result == "succeeded" })
                #expect(try await Self.readiness(web) == "200 closed")
                try await processor.logged("the bank is unavailable")
                try await processor.logged("the bank is available: commands are taken")
                await web.shutdown()
            }
        }

        @Test("a minute in which most requests get a 500 declines nothing and does nothing twice")
        func storm() async throws {
            try await World.run(World.Settings(processor: World.shortLease)) { world in
                try await world.startProcessor()
                try await world.bank.fault("error-500", count: nil, probability: 0.7)
                let traffic = Traffic(payments: 120)
                let storm = Task {
                    try await Task.sleep(for: .seconds(60))
                    try await world.bank.clearFaults()
                }
                try await traffic.publish(to: world, pause: .milliseconds(250))
                try await storm.value
                try await traffic.check(in: world)
            }
        }

        /// About a hundred a second.
        private static func publish(for duration: Duration, to world: World) async throws -> [TestCommand] {
            var commands: [TestCommand] = []
            let start = ContinuousClock.now
            while ContinuousClock.now < start + duration {
                let batch = (0..<20).map { _ in TestCommand.authorize(amount: 100) }
                try await world.send(batch)
                commands += batch
                try await Task.sleep(until: start + .milliseconds(10 * commands.count))
            }
            return commands
        }

        private static func readiness(_ web: WebClient) async throws -> String {
            let answer = try await web.send(.get, "/readyz")
            let bank = try JSONParser.parse(answer.body)["bank"]?.string ?? "-"
            return "\(answer.status) \(bank)"
        }

        /// The messages in the command queues, and those on a retry tier.
        private static func depths(_ world: World) async throws -> (waiting: Int, resting: Int) {
            let (names, partitions) = (world.names, world.settings.partitions)
            return try await world.upstream.withConnection { connection in
                var (waiting, resting) = (0, 0)
                for partition in 0..<partitions {
                    waiting += try await connection.messageCount(of: names.commandsQueue(partition))
                }
                for tier in RetryTier.allCases {
                    resting += try await connection.messageCount(of: names.retryQueue(tier))
                }
                return (waiting, resting)
            }
        }
    }
}
