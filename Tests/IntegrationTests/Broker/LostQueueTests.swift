import AMQP
import BrokerMapping
import Core
import TestSupport
import Testing

extension FaultLane {
    @Suite("A command queue that is deleted", .timeLimit(.minutes(10)))
    struct LostQueueTests {
        @Test(
            "no capture is refused for want of an authorize that succeeds, and what was lost succeeds when it is repeated"
        )
        func underLoad() async throws {
            let settings = World.Settings(
                bank: ["MIN_LATENCY_MS": "5", "MAX_LATENCY_MS": "80"],
                processor: World.shortLease
            )
            try await World.run(settings) { world in
                try await world.startProcessor()
                try await world.startProcessor()
                let authorizes = (0..<200 * TestScale.ordering).map { _ in TestCommand.authorize() }
                let captures = authorizes.map { TestCommand.capture($0.paymentID) }
                let load = Task {
                    for (authorize, capture) in zip(authorizes, captures) {
                        try await world.send(authorize)
                        try await world.send(capture)
                    }
                }
                try await eventually("there was traffic") { world.upstream.replyCount >= 60 * TestScale.ordering }
                try await world.upstream.withConnection { connection in
                    try await connection.deleteQueue(world.names.commandsQueue(0))
                }
                try await load.value

                // As a client does that has waited in vain for an answer to some of them.
                let again = authorizes.map(\.duplicate)
                try await world.send(again)
                try await world.expect(again, endAs: "succeeded")
                let capturesAgain = captures.map(\.duplicate)
                try await world.send(capturesAgain)
                try await world.expect(capturesAgain, endAs: "succeeded")

                let wrong = zip(authorizes, captures).count { authorize, capture in
                    result(of: authorize, in: world) == "succeeded"
                        && result(of: capture, in: world) == "rejected payment_not_found"
                }
                #expect(wrong == 0, "captures that were refused though their authorizes succeeded")
            }
        }

        @Test("and declared again at once by somebody else is consumed again, and what was published to it is answered")
        func declaredAgainAtOnce() async throws {
            try await World.run { world in
                let processor = try await world.startProcessor()
                #expect(try await world.ask(.authorize()).result == "succeeded")
                let topology = Topology(names: world.names, partitions: world.settings.partitions)
                let queue = try #require(topology.queues.first { $0.name == world.names.commandsQueue(0) })
                try await world.upstream.withConnection { connection in
                    try await connection.deleteQueue(queue.name)
                    try await connection.declareQueue(queue.name, arguments: AMQPTable(queue.arguments))
                    try await connection.bindQueue(queue.name, to: world.names.commandsExchange, routingKey: "1")
                }
                let commands = (0..<40).map { _ in TestCommand.authorize() }
                try await world.send(commands)
                try await world.expect(commands, endAs: "succeeded", within: .seconds(120))
                try await processor.reportsNoProblem()
            }
        }

        private func result(of command: TestCommand, in world: World) -> String? {
            world.upstream.replies(to: command.correlation).first(where: \.isFinal)?.result
        }
    }
}

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
