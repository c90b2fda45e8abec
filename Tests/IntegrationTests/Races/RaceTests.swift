import AMQP
import Core
import TestSupport
import Testing

extension FaultLane {
    @Suite("Races", .timeLimit(.minutes(10)))
    struct RaceTests {
        @Test("of a capture and a void of one payment at the same time, exactly one reaches the bank")
        func captureAndVoid() async throws {
            try await World.run { world in
                // Two processors with queues of their own: neither payment queues nor partitions put the two in order.
                let others = BrokerNames(prefix: world.names.prefix + "-b")
                try await world.startProcessor()
                try await world.startProcessor(others)
                let authorizes = (0..<20).map { _ in TestCommand.authorize() }
                try await world.send(authorizes)
                _ = try await world.upstream.finalReplies(to: authorizes)
                let captures = authorizes.map { TestCommand.capture($0.paymentID) }
                let voids = authorizes.map { TestCommand.void($0.paymentID) }
                async let first: Void = world.upstream.publish(captures, to: world.names)
                async let second: Void = world.upstream.publish(voids, to: others)
                _ = try await (first, second)
                let captured = try await world.upstream.finalReplies(to: captures)
                let voided = try await world.upstream.finalReplies(to: voids)
                for (capture, void) in zip(captured, voided) {
                    #expect(
                        [capture.result, void.result].sorted() == ["rejected invalid_transition", "succeeded"]
                    )
                }
                #expect(try await world.bank.requests().count == 40)
            }
        }

        @Test("a capture published right behind its authorize is applied after it")
        func captureBehindAuthorize() async throws {
            try await World.run { world in
                try await world.startProcessor()
                try await world.bank.fault("latency", on: .authorize, count: nil, milliseconds: 100)
                let authorizes = (0..<20).map { _ in TestCommand.authorize() }
                let captures = authorizes.map { TestCommand.capture($0.paymentID) }
                try await withThrowingTaskGroup(of: Void.self) { group in
                    for (authorize, capture) in zip(authorizes, captures) {
                        group.addTask {
                            try await world.send(authorize)
                            // Behind it in the same queue, for it is confirmed.
                            try await world.send(capture)
                        }
                    }
                    try await group.waitForAll()
                }
                let replies = try await world.upstream.finalReplies(to: authorizes + captures)
                #expect(replies.map(\.result) == Array(repeating: "succeeded", count: 40))
                #expect(replies.suffix(20).allSatisfy { $0.paymentStatus == "CAPTURED" })
            }
        }

        @Test("a capture that reaches another processor while its authorize is at the bank waits for it")
        func captureElsewhere() async throws {
            try await World.run { world in
                let others = BrokerNames(prefix: world.names.prefix + "-b")
                try await world.startProcessor()
                try await world.startProcessor(others)
                try await world.bank.fault("latency", on: .authorize, milliseconds: 3_000)
                let authorize = TestCommand.authorize()
                let capture = TestCommand.capture(authorize.paymentID)
                try await world.send(authorize)
                try await eventually("the authorize was at the bank") { try await world.bank.requests().count == 1 }
                try await world.upstream.publish([capture], to: others)
                #expect(try await world.upstream.finalReply(to: capture).result == "succeeded")
                #expect(try await world.upstream.finalReply(to: authorize).result == "succeeded")
            }
        }

        @Test("a command that waits too long for another one of its payment is told that the payment is busy")
        func busy() async throws {
            let settings = World.Settings(processor: ["PAYMENT_BUSY_AFTER": "3s"])
            try await World.run(settings) { world in
                let others = BrokerNames(prefix: world.names.prefix + "-b")
                try await world.startProcessor()
                try await world.startProcessor(others)
                let payment = try await world.authorized()
                try await world.bank.fault("latency", on: .capture, milliseconds: 12_000)
                let capture = TestCommand.capture(payment)
                try await world.send(capture)
                try await eventually("the capture was at the bank") { try await world.bank.requests().count == 2 }
                let void = TestCommand.void(payment)
                try await world.upstream.publish([void], to: others)
                let busy = try await world.upstream.finalReply(to: void)
                #expect(busy.result == "rejected payment_busy")
                #expect(busy.json["error"]?["retryable"] == .bool(true))
                #expect(try await world.upstream.finalReply(to: capture).result == "succeeded")
            }
        }
    }
}
