import AMQP
import Core
import TestSupport
import Testing

extension CommandLane {
    @Suite("Odd properties", .timeLimit(.minutes(10)))
    struct OddPropertyTests {
        /// Not UTF-8, and as long as AMQP allows: repaired, it would be three times as long.
        private static let odd = [UInt8](repeating: 0xff, count: 253)

        @Test("seventy messages with bytes that are no text are answered with these bytes, and hold up nobody")
        func seventy() async throws {
            try await World.run(World.Settings(partitions: 1)) { world in
                try await world.startProcessor()
                let odd = (0..<70).map { number in
                    var command = TestCommand.authorize()
                    command.correlationID = CorrelationID(bytes: Self.odd + [UInt8(number), UInt8(number)])
                    return command
                }
                for command in odd { try await Self.publish(command, to: world) }
                let good = (0..<10).map { _ in TestCommand.authorize() }
                try await world.send(good)
                try await world.expect(good, endAs: "succeeded")
                try await world.expect(odd, endAs: "succeeded")
                for command in odd {
                    let reply = try await world.upstream.finalReply(to: command)
                    #expect(
                        reply.message.properties.undecoded == [
                            .correlationID: try #require(command.correlationID).bytes
                        ]
                    )
                }
            }
        }

        @Test("a reply address that is no text makes the command invalid, and the default queue gets the answer")
        func replyAddress() async throws {
            try await World.run { world in
                try await world.startProcessor()
                let command = TestCommand.authorize()
                var message = command.message(replyTo: nil)
                message.properties.undecoded[.replyTo] = Self.odd
                try await world.upstream.publish(message, to: world.names.commandsExchange)
                let reply: AMQPMessage = try await eventually("the answer came") {
                    try await world.upstream.browse(world.names.repliesQueue).first
                }
                let body = try JSONParser.parse(reply.body)
                #expect(body["error"]?["message"]?.string == "reply_to: is not UTF-8")
                #expect(reply.properties.correlationID == command.messageID)
                #expect(reply.properties.headers["reply-to-ignored"] == true)
            }
        }

        @Test("a reply carries the bytes after a rest on a retry tier, and from a takeover by the sweep")
        func afterAll() async throws {
            try await World.run(World.Settings(processor: SweepTimes.soon)) { world in
                let processor = try await world.startProcessor()
                var deferred = TestCommand.authorize()
                deferred.correlationID = CorrelationID(bytes: Self.odd + [1, 0])
                try await world.bank.fault("error-500", on: .authorize, count: 2)
                try await Self.publish(deferred, to: world)
                #expect(try await world.upstream.finalReply(to: deferred).result == "succeeded")

                // Its delivery is lost with its processor, so that only the sweep can answer.
                #expect(try await processor.terminate() == .status(0))
                var swept = TestCommand.authorize()
                swept.correlationID = CorrelationID(bytes: Self.odd + [2, 0])
                try await StuckPoint.beforeTheAnswer.leaveBehind(swept, in: world)
                try await world.startProcessor()
                #expect(try await world.upstream.finalReply(to: swept).result == "succeeded")
            }
        }

        private static func publish(_ command: TestCommand, to world: World) async throws {
            var message = command.message(replyTo: world.upstream.replyQueue)
            message.properties.undecoded[.appID] = odd + [3, 4]
            message.properties.timestamp = .max
            message.properties.deliveryMode = .transient
            message.properties.headers.unnamed = [
                AMQPTable.Unnamed(name: odd, value: .bytes(odd)), AMQPTable.Unnamed(name: [0xc3], value: .double(0.5)),
            ]
            message.properties.headers["odd"] = .bytes(odd)
            try await world.upstream.publish(message, to: world.names.commandsExchange)
        }
    }
}

extension FaultLane {
    @Suite("Commands that expire", .timeLimit(.minutes(10)))
    struct ExpirationTests {
        @Test("those that nobody has handled are answered, those that are known go on, and none is a dead letter")
        func unseen() async throws {
            try await World.run(World.Settings(processor: World.shortLease)) { world in
                let first = try await world.startProcessor()
                let known = TestCommand.authorize()
                let original = try await world.ask(known)
                #expect(try await first.terminate() == .status(0))

                let unseen = (0..<5).map { _ in TestCommand.authorize() } + [.capture(known.paymentID)]
                let duplicate = known.duplicate
                var invalid = TestCommand.capture(known.paymentID)
                invalid.body = "[]"
                let expiring = unseen + [duplicate, invalid]
                for command in expiring { try await Self.publish(command, expiration: "200", to: world) }
                try await eventually("all had expired") {
                    try await world.upstream.withConnection {
                        try await $0.messageCount(of: world.names.deadLetters) == expiring.count
                    }
                }
                try await world.startProcessor()
                try await world.expect(unseen, endAs: "rejected deadline_passed")
                let replay = try await world.upstream.finalReply(to: duplicate)
                #expect(replay.message.body == original.message.body)
                #expect(try await world.upstream.finalReply(to: invalid).result == "rejected invalid_command")
                #expect(try await world.bank.requests().count == 1)
                // It may be sent again, and has time enough now.
                let again = unseen[0].duplicate
                try await Self.publish(again, expiration: "600000", to: world)
                #expect(try await world.upstream.finalReply(to: again).result == "succeeded")
                #expect(try await world.database.number("SELECT count(*) FROM dead_letters") == 0)
            }
        }

        @Test("they are answered while the bank is down; one that was taken in time goes on")
        func bankDown() async throws {
            try await World.run(World.Settings(processor: World.shortLease)) { world in
                let processor = try await world.startProcessor()
                try await world.bank.fault("down", count: nil)
                let unavailable = "one command finds out whether the bank is available again"
                // One after the other, until the breaker opens: from then on the queues deliver one command at a time.
                var seen: [TestCommand] = []
                while !processor.log.contains(unavailable), seen.count < 20 {
                    let command = TestCommand.authorize()
                    seen.append(command)
                    try await Self.publish(command, expiration: "600000", to: world)
                    try await eventually("it is deferred, or the bank is known to be unavailable") {
                        let log = processor.log
                        return log.contains(unavailable)
                            || log.split(separator: "\n").contains {
                                $0.contains("idempotency.key=\(command.key)") && $0.contains("outcome=parked")
                            }
                    }
                }
                let web = try await processor.admin()
                try await processor.logged(unavailable)
                // The broker notices an expiration at the head of a queue only: what was there before must be on a retry tier.
                try await eventually("the command queues are empty", within: .seconds(150)) {
                    try await world.upstream.withConnection { connection in
                        var count = 0
                        for partition in 0..<world.settings.partitions {
                            count += try await connection.messageCount(of: world.names.commandsQueue(partition))
                        }
                        return count == 0
                    }
                }
                let late = (0..<20).map { _ in TestCommand.authorize() }
                for command in late { try await Self.publish(command, expiration: "1", to: world) }
                // A probe may have taken one or two of them in time.
                var answered = 0
                try await eventually("they were answered", within: .seconds(150), context: { "\(answered) were" }) {
                    answered = late.count { command in
                        world.upstream.replies(to: command.correlation).first?.result == "rejected deadline_passed"
                    }
                    return answered >= late.count - 5
                }
                #expect(try await web.text("/metrics").contains("payments_breaker_open 1"))
                await web.shutdown()
                try await world.bank.clearFaults()
                let replies = try await world.upstream.finalReplies(to: late)
                try await world.expect(seen, endAs: "succeeded")
                #expect(replies.allSatisfy { ["succeeded", "rejected deadline_passed"].contains($0.result) })
                #expect(try await world.database.number("SELECT count(*) FROM dead_letters") == 0)
            }
        }

        private static func publish(_ command: TestCommand, expiration: String, to world: World) async throws {
            var message = command.message(replyTo: world.upstream.replyQueue)
            message.properties.expiration = expiration
            try await world.upstream.publish(message, to: world.names.commandsExchange)
        }
    }
}
