import AMQP
import Core
import TestSupport
import Testing

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
