import AMQP
import Core
import TestSupport
import Testing

extension CommandLane {
    /// What common client libraries do without being asked.
    @Suite("Habits of clients", .timeLimit(.minutes(5)))
    struct ClientHabitTests {
        @Test("a reply goes to a queue that the broker has named, and a body may be said to be in UTF-8")
        func serverNamedQueue() async throws {
            try await World.run { world in
                try await world.startProcessor()
                let (command, reply) = try await world.upstream.withConnection { connection in
                    let queue = try await connection.declareQueue("", durable: false, exclusive: true).name
                    let command = TestCommand.authorize()
                    var message = command.message(replyTo: queue)
                    message.properties.contentEncoding = "utf-8"
                    try await world.upstream.publish(message, to: world.names.commandsExchange)
                    for try await delivery in try await connection.consume(queue: queue, prefetch: 1) {
                        try delivery.acknowledge()
                        return (command, delivery.message)
                    }
                    throw ChildError("the queue ended")
                }
                #expect(try JSONParser.parse(reply.body)["outcome"]?.string == "succeeded")
                #expect(reply.properties.correlationID == command.messageID)
                #expect(reply.properties.headers["reply-to-ignored"] == nil)
            }
        }

        @Test("a reply address that is not allowed is ignored, which the reply says, and the log for each message")
        func ignoredAddress() async throws {
            try await World.run(World.Settings(processor: SweepTimes.soon)) { world in
                let processor = try await world.startProcessor()
                let ignored = ["payments.commands.0", "replies.", "amq.gen-short"].map { address in
                    (TestCommand.authorize(), address)
                }
                for (command, address) in ignored {
                    let message = command.message(replyTo: address)
                    try await world.upstream.publish(message, to: world.names.commandsExchange)
                }
                for (command, _) in ignored {
                    try await processor.logged("reply_to is not allowed", command.key, command.messageID)
                }
                let replies = try await world.repliesByDefault(3)
                #expect(replies.allSatisfy { $0.properties.headers["reply-to-ignored"] == true })

                // The store remembers it: the sweep's reply says it, too.
                #expect(try await processor.terminate() == .status(0))
                let swept = TestCommand.authorize()
                try await StuckPoint.beforeTheAnswer.leaveBehind(swept, replyTo: "payments.commands.0", in: world)
                try await world.startProcessor()
                let reply = try #require(
                    try await world.repliesByDefault(4).first { $0.properties.correlationID == swept.messageID }
                )
                #expect(reply.properties.headers["reply-to-ignored"] == true)
            }
        }

        @Test("a capture and a void need no body, and any other command without one is told so")
        func noBody() async throws {
            try await World.run { world in
                try await world.startProcessor()
                for kind in [OperationKind.capture, .void] {
                    let payment = try await world.authorized()
                    var command = kind == .capture ? TestCommand.capture(payment) : .void(payment)
                    command.body = ""
                    #expect(try await world.ask(command).result == "succeeded")
                }
                var empty = TestCommand.authorize()
                empty.body = ""
                let reply = try await world.ask(empty)
                #expect(reply.errorMessage == "body: is empty")
                #expect(reply.message.properties.messageID?.isEmpty == false)
            }
        }

        @Test("a duplicate command does not tell its event again")
        func duplicateEvents() async throws {
            try await World.run { world in
                try await world.startProcessor()
                let events = try await world.upstream.listenToEvents(of: world.names)
                let command = TestCommand.authorize()
                try await world.ask(command)
                // Noted after the reply is confirmed, not before it is seen.
                try await eventually("the outcome was noted as notified") {
                    try await world.database.number("SELECT count(*) FROM operations WHERE notified_at IS NOT NULL")
                        == 1
                }
                for _ in 0..<3 { try await world.ask(command.duplicate) }
                let next = TestCommand.capture(command.paymentID)
                try await world.ask(next)
                let published: [String] = try await eventually("the capture was reported") {
                    let types = try await world.upstream.browse(events).compactMap(\.properties.type)
                    return types.contains("payment.captured.v1") ? types : nil
                }
                #expect(published == ["payment.authorized.v1", "payment.captured.v1"])
                try await world.upstream.withConnection { _ = try await $0.deleteQueue(events) }
            }
        }
    }
}

extension World {
    fileprivate func repliesByDefault(_ count: Int) async throws -> [AMQPMessage] {
        try await eventually("there were \(count) replies in the default queue") {
            let replies = try await upstream.browse(names.repliesQueue)
            return replies.count == count ? replies : nil
        }
    }
}
