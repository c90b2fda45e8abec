import AMQP
import Core
import TestSupport
import Testing

extension FaultLane {
    @Suite("Answers that are lost on the way", .timeLimit(.minutes(10)))
    struct LostAnswerTests {
        @Test("a reply whose confirm was lost is sent again, the same, and one at most says that it is the original")
        func lostConfirm() async throws {
            try await World.run { world in
                let proxy = try TCPProxy(toPort: ServerURL(world.servers.amqpURL).port)
                defer { proxy.stop() }
                let address = ServerURL(world.servers.amqpURL).through(proxy)
                let processor = try await world.startProcessor(nil, ["AMQP_URL": address])
                // Its channels are open from now on.
                _ = try await world.authorized()
                try await world.bank.fault("latency", milliseconds: 1_500)
                let command = TestCommand.authorize()
                try await world.send(command)
                try await eventually("the call was at the bank") { try await world.bank.requests().count == 2 }
                // From here on the processor hears nothing of the broker, which hears everything.
                proxy.setStalled(.toClient, true)
                _ = try await world.upstream.finalReply(to: command)
                proxy.setRefusing(true)
                proxy.cutConnections()
                try await processor.answersReady(503)
                proxy.setStalled(.toClient, false)
                proxy.setRefusing(false)

                try await eventually("the reply came again") {
                    world.upstream.replies(to: command.correlation).count >= 2
                }
                try await processor.answersReady(200)
                // Behind everything that the processor had to say of the first.
                let next = TestCommand.authorize(paymentID: command.paymentID)
                #expect(try await world.ask(next).result == "rejected payment_exists")
                let replies = world.upstream.replies(to: command.correlation)
                #expect(Set(replies.map(\.message.body)).count == 1)
                #expect(Set(replies.map(\.message.properties.messageID)).count == 1)
                #expect(replies.count { $0.isReplayed == false } <= 1)
                #expect(try await world.bank.ledger().count == 2)
            }
        }
    }
}
