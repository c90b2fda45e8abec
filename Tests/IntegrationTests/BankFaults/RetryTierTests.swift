import AMQP
import BrokerMapping
import Core
import TestSupport
import Testing

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
