import AMQP
import Core
import TestSupport
import Testing

extension FaultLane {
    @Suite("Commands that no queue takes", .timeLimit(.minutes(10)))
    struct UnroutedTests {
        @Test(
            "authorizes that came while no command queue was bound succeed once one is, in order and with their cards"
        )
        func lostBindings() async throws {
            try await World.run { world in
                let processor = try await world.startProcessor()
                #expect(try await processor.terminate() == .status(0))
                try await world.unbindCommands()
                let authorizes = (0..<20).map { _ in TestCommand.authorize() }
                let captures = authorizes.map { TestCommand.capture($0.paymentID) }
                for (authorize, capture) in zip(authorizes, captures) {
                    try await world.send(authorize)
                    try await world.send(capture)
                }
                #expect(try await world.waiting(in: world.names.unrouted) == 40)
                // Declares the bindings again.
                try await world.startProcessor()
                try await world.expect(authorizes, endAs: "succeeded")
                try await world.expect(captures, endAs: "succeeded")
                #expect(try await world.database.number("SELECT count(*) FROM dead_letters") == 0)
            }
        }

        @Test("while none is bound they wait on a retry tier, and nothing spins; what waited for ten minutes is kept")
        func waiting() async throws {
            try await World.run(World.Settings(deadLetters: 1)) { world in
                // Checks only whether everything is there, and so does not bind the queues again.
                try await world.startProcessor().terminate()
                try await world.startProcessor(nil, ["AMQP_DECLARE": "false"])
                try await world.unbindCommands()
                let command = TestCommand.authorize()
                try await world.send(command)
                try await eventually("it waited on the retry tier") {
                    try await world.waiting(in: world.names.retryQueue(.seconds5)) == 1
                }
                let old = TestCommand.authorize().unroutedForLong(replyTo: world.upstream.replyQueue)
                try await world.upstream.publish(old, to: world.names.commandsExchange)
                let deadLetters = try await world.keptDeadLetters(1)
                #expect(deadLetters.first?["code"]?.string == "unrouted")
                #expect(deadLetters.first?["message_id"]?.string == old.properties.messageID)
                #expect(try await world.command(["topology"]).exit == .status(0))
                #expect(try await world.upstream.finalReply(to: command).result == "succeeded")
            }
        }
    }
}

extension World {
    fileprivate func unbindCommands() async throws {
        try await upstream.withConnection { connection in
            for partition in 0..<self.settings.partitions {
                try await connection.unbindQueue(
                    self.names.commandsQueue(partition),
                    from: self.names.commandsExchange,
                    routingKey: "1"
                )
            }
        }
    }
}
