import AMQP
import Core
import TestSupport
import Testing

extension FaultLane {
    @Suite("The order of one payment's commands", .timeLimit(.minutes(15)))
    struct OrderTests {
        @Test(
            "what was sent after a capture does not overtake it while it waits for its authorize",
            arguments: [OperationKind.refund, .void]
        )
        func nothingOvertakes(_ last: OperationKind) async throws {
            // The lease of the usual settings, 32 s: so long that the capture waits on the second tier in the end.
            try await World.run { world in
                let first = try await world.startProcessor()
                try await world.bank.fault("latency", on: .authorize, count: 2, milliseconds: 3_000)
                let authorize = TestCommand.authorize()
                try await world.send(authorize)
                try await world.bankReceives(1)
                try await first.child.crash()
                try await world.startProcessor()
                let capture = TestCommand.capture(authorize.paymentID)
                try await world.send(capture)
                // The moment at which whatever comes first is applied.
                #expect(try await world.upstream.finalReply(to: authorize, within: .seconds(240)).result == "succeeded")
                let command = last == .refund ? TestCommand.refund(authorize.paymentID) : .void(authorize.paymentID)
                try await world.send(command)

                let results = try await world.upstream.finalReplies(to: [capture, command]).map(\.result)
                #expect(results == ["succeeded", last == .refund ? "succeeded" : "rejected invalid_transition"])
                let status = try await world.database.rows("SELECT status FROM payments").first?["status"]?.string
                #expect(status == (last == .refund ? "REFUNDED" : "CAPTURED"))
            }
        }

        @Test("an outage refuses no capture whose authorize succeeds: what it defers keeps its order")
        func outageBetween() async throws {
            try await World.run(World.Settings(processor: World.shortLease, partitions: 4)) { world in
                try await world.startProcessor()
                _ = try await world.authorized()
                try await world.bank.fault("error-500", count: nil)
                let first = (0..<12).map { _ in TestCommand.authorize() }
                try await world.send(first)
                try await eventually("the breaker opened") { try await world.metric("payments_breaker_open") == 1 }
                let authorizes = (0..<40 * TestScale.ordering).map { _ in TestCommand.authorize() }
                let captures = authorizes.map { TestCommand.capture($0.paymentID) }
                for (authorize, capture) in zip(authorizes, captures) {
                    try await world.send(authorize)
                    try await world.send(capture)
                }
                // Each probe takes a command from every queue, and all but one of them are deferred.
                let before = try await world.bank.requests().count
                try await world.bankReceives(before + 5, within: .seconds(180))
                try await world.bank.clearFaults()

                try await world.expect(first + authorizes, endAs: "succeeded")
                try await world.expect(captures, endAs: "succeeded")
            }
        }
    }
}

extension RestartLane {
    /// With ORDERING_TEST_SCALE of 2 and more: so many times a hundred payments, 20 s between their steps, and the usual lease.
    @Suite("Lifecycles of payments", .timeLimit(.minutes(20)))
    struct LifecycleTests {
        private static let scale = TestScale.ordering
        private static let isFull = scale > 1

        @Test("every payment ends as its client sent it, whatever processors die between its steps")
        func underKills() async throws {
            let settings = World.Settings(
                bank: ["MIN_LATENCY_MS": "500", "MAX_LATENCY_MS": "2000"],
                processor: Self.isFull ? [:] : World.shortLease
            )
            try await World.run(settings) { world in
                var processors = [try await world.startProcessor(), try await world.startProcessor()]
                let payments = (0..<(Self.isFull ? 100 * Self.scale : 48)).map(Lifecycle.number)
                let distance = Duration.seconds(Self.isFull ? 20 : 3)
                let stream = Task { try await send(payments, to: world, apart: distance) }
                for _ in 0..<(Self.isFull ? 12 * Self.scale : 6) {
                    // What puts the kills at moments that nobody has chosen, among the steps.
                    try await Task.sleep(for: .milliseconds(.random(in: 1_500...3_500)))
                    // The one that has subscribed first has all queues.
                    try await processors.removeFirst().child.crash()
                    processors.append(try world.spawnProcessor())
                }
                try await stream.value
                let commands = payments.flatMap { $0.steps.map(\.command) }
                _ = try await world.upstream.finalReplies(to: commands, within: .seconds(400))
                let deviations = payments.compactMap { $0.deviation(in: world) }
                #expect(deviations == [])
            }
        }

        private func send(_ payments: [Lifecycle], to world: World, apart distance: Duration) async throws {
            try await withThrowingTaskGroup(of: Void.self) { group in
                for payment in payments {
                    group.addTask { try await payment.send(to: world, apart: distance) }
                    try await Task.sleep(for: .milliseconds(300))
                }
                try await group.waitForAll()
            }
        }
    }
}

extension RestartLane {
    // Only RabbitMQ 4 reorders a quorum queue by priority: two priorities there, high (5 and more) and normal. It comes from
    // Debian's archive (scripts/rabbitmq-version 4.0), which cannot be reached everywhere.
    @Suite(
        "Priorities on RabbitMQ 4",
        .enabled(if: RabbitMQVersion.four.isHere, "no RabbitMQ 4.0 here: scripts/rabbitmq-version 4.0 gets it"),
        .timeLimit(.minutes(10))
    )
    struct PriorityTests {
        @Test("a capture that the broker puts before its authorize succeeds")
        func pairs() async throws {
            let kind = PrivateServices.Kind(environment: RabbitMQVersion.four.environment)
            try await PrivateServices.run(kind) { services in
                try await World.run(World.Settings(servers: services.servers)) { world in
                    // Declares the queues; what is published then waits for a processor, all of it.
                    #expect(try await world.startProcessor().terminate() == .status(0))
                    let authorizes = (0..<40 * TestScale.ordering).map { _ in TestCommand.authorize() }
                    let captures = authorizes.map { TestCommand.capture($0.paymentID) }
                    for (authorize, capture) in zip(authorizes, captures) {
                        try await publish(authorize, priority: 1, to: world)
                        try await publish(capture, priority: 9, to: world)
                    }
                    try await world.startProcessor()
                    try await world.expect(authorizes, endAs: "succeeded")
                    try await world.expect(captures, endAs: "succeeded")
                }
            }
        }

        private func publish(_ command: TestCommand, priority: UInt8, to world: World) async throws {
            var message = command.message(replyTo: world.upstream.replyQueue)
            message.properties.priority = priority
            try await world.upstream.publish(message, to: world.names.commandsExchange)
        }
    }
}
