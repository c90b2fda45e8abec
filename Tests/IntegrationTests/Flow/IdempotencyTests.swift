import AMQP
import Core
import TestSupport
import Testing

extension CommandLane {
    @Suite("Idempotency", .timeLimit(.minutes(10)))
    struct IdempotencyTests {
        @Test("fifty deliveries of one key at once have one effect, and get the same reply")
        func fiftyDeliveries() async throws {
            try await World.run { world in
                try await world.startProcessor()
                let command = TestCommand.authorize()
                let deliveries = (0..<50).map { _ in command.duplicate }
                // Still at the bank when the last of them arrives.
                try await world.bank.fault("latency", milliseconds: 1_500)
                try await world.send(deliveries)
                try await check(deliveries, in: world)
                #expect(try await world.bank.requests().count == 1)
            }
        }

        @Test("fifty deliveries of one key at once, with a second processor standing by, have one effect")
        func standby() async throws {
            try await World.run { world in
                try await world.startProcessor()
                try await world.startProcessor()
                let command = TestCommand.authorize()
                let deliveries = (0..<50).map { _ in command.duplicate }
                try await world.send(deliveries)
                try await check(deliveries, in: world)
            }
        }

        @Test("two processors that get one key at the same time make one request, and give the same reply")
        func twoAtOnce() async throws {
            // So long that nobody asks by the key, which is a request, too.
            let patient = ["BANK_WORST_CASE": "60s", "OPERATION_LEASE": "90s"]
            try await World.run(World.Settings(processor: patient)) { world in
                // Queues of their own, so that both are at work; one database, so that they meet.
                let others = BrokerNames(prefix: world.names.prefix + "-b")
                try await world.startProcessor()
                try await world.startProcessor(others)
                let commands = (0..<10).map { _ in TestCommand.authorize() }
                let here = commands.flatMap { command in (0..<3).map { _ in command.duplicate } }
                let there = commands.flatMap { command in (0..<3).map { _ in command.duplicate } }
                try await world.bank.fault("latency", count: nil, milliseconds: 300)
                async let first: Void = world.upstream.publish(here, to: world.names)
                async let second: Void = world.upstream.publish(there, to: others)
                _ = try await (first, second)
                for command in commands {
                    try await check((here + there).filter { $0.key == command.key }, in: world)
                }
                #expect(try await world.bank.requests().count == 10)
            }
        }

        /// All got the same final reply, of which one says that it is the original.
        private func check(_ deliveries: [TestCommand], in world: World) async throws {
            let replies = try await world.upstream.finalReplies(to: deliveries)
            #expect(replies.first?.result == "succeeded")
            #expect(Set(replies.map(\.message.body)).count == 1)
            #expect(Set(replies.map(\.message.properties.messageID)).count == 1)
            #expect(replies.count { $0.isReplayed == false } == 1)
            #expect(replies.count { $0.isReplayed == true } == deliveries.count - 1)
        }

        @Test("a key that comes again with something else in the command is told so, and nothing changes")
        func reused() async throws {
            try await World.run { world in
                try await world.startProcessor()
                let original = TestCommand.authorize()
                let reply = try await world.ask(original)
                let others = [
                    TestCommand.authorize(amount: 5001, paymentID: original.paymentID),
                    .authorize(card: .limited, paymentID: original.paymentID),
                    .authorize(paymentID: original.paymentID, order: "order-2"),
                    .authorize(),
                    .capture(original.paymentID),
                    .void(original.paymentID),
                ]
                for var other in others {
                    other.key = original.key
                    let refused = try await world.ask(other)
                    #expect(refused.result == "rejected idempotency_key_reused")
                    #expect(refused.json["payment"] == .null)
                    #expect(refused.json["error"]?["retryable"] == .bool(false))
                }
                #expect(try await world.ask(original.duplicate).message.body == reply.message.body)
                // No digest of the CVV is kept, so another one makes no other command.
                var otherCVV = TestCommand.authorize(card: .wrongCVV, paymentID: original.paymentID)
                otherCVV.key = original.key
                #expect(try await world.ask(otherCVV).message.body == reply.message.body)
                #expect(try await world.bank.requests().count == 1)

                let capture = TestCommand.capture(original.paymentID)
                #expect(try await world.ask(capture).result == "succeeded")
                // What the amount comes to counts, not how it was said; and message id, order of members and the rest do not.
                var same = TestCommand.capture(original.paymentID, amount: 5000)
                same.key = capture.key
                #expect(try await world.ask(same).isReplayed == true)
                var different = TestCommand.capture(original.paymentID, amount: 4999)
                different.key = capture.key
                #expect(try await world.ask(different).result == "rejected idempotency_key_reused")
            }
        }
    }
}

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
