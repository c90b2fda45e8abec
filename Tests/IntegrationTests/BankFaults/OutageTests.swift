import AMQP
import BrokerMapping
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

extension FaultLane {
    @Suite("Retry tiers", .timeLimit(.minutes(10)))
    struct RetryTierTests {
        @Test("a message that goes through the retry tiers three times is not dropped, whatever it carried")
        func threeTimes() async throws {
            try await World.run(World.Settings(processor: World.shortLease)) { world in
                let processor = try await world.startProcessor()
                let tier = RetryTier.seconds5.rawValue
                let copies = try await world.upstream.listen(
                    to: world.names.retryExchange,
                    key: tier,
                    as: "replies.copies.\(Random.name).retry.\(tier)"
                )
                let authorize = TestCommand.authorize()
                // The capture waits on the first retry tier while the authorize is open: that rests 5 s, then 30 s.
                try await world.bank.fault("drop-before", on: .authorize, count: nil)
                try await world.send(authorize)
                try await eventually("the authorize was at the bank") { try await !world.bank.requests().isEmpty }
                let capture = TestCommand.capture(authorize.paymentID)
                var message = capture.message(replyTo: world.upstream.replyQueue)
                message.properties.headers["x-death"] = .array([.table(["queue": "payments.retry.5s", "count": 3])])
                message.properties.headers["x-delivery-count"] = 49
                try await world.upstream.publish(message, to: world.names.commandsExchange)
                let web = try await processor.admin()
                try await eventually("the depth of the retry tiers was reported") {
                    try await web.text("/metrics").contains("payments_retry_depth{tier=\"30s\"} 1")
                }
                await web.shutdown()
                // Not a number of faults: a sweep may ask the bank in between.
                try await eventually("the capture was deferred three times", within: .seconds(120)) {
                    processor.log.split(separator: "\n").count { line in
                        line.contains("outcome=parked") && line.contains(capture.messageID)
                    } >= 3
                }
                #expect(try await !world.upstream.browse(copies).isEmpty)
                try await world.bank.clearFaults()
                let replies = try await world.upstream.finalReplies(to: [capture, authorize])
                #expect(replies.map(\.result) == ["succeeded", "succeeded"])
            }
        }
    }
}
