import AMQP
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

        private func result(of command: TestCommand, in world: World) -> String? {
            world.upstream.replies(to: command.correlation).first(where: \.isFinal)?.result
        }
    }
}
