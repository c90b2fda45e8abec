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
