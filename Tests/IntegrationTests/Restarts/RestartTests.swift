import TestSupport
import Testing

extension RestartLane {
    @Suite("Restarts of the servers", .timeLimit(.minutes(20)))
    struct RestartTests {
        @Test(
            "restarts and crashes of RabbitMQ and PostgreSQL under traffic lose nothing and double nothing"
        )
        func underTraffic() async throws {
            try await PrivateServices.run { services in
                let settings = World.Settings(
                    servers: services.servers,
                    bank: ["MIN_LATENCY_MS": "5", "MAX_LATENCY_MS": "50"],
                    deadLetters: 80
                )
                try await World.run(settings) { world in
                    let processor = try await world.startProcessor()
                    for action in ["restart", "kill"] {
                        for service in ["rabbitmq", "postgres"] {
                            let traffic = Traffic(payments: 32)
                            let before = world.upstream.replyCount
                            let stream = Task { try await traffic.publish(to: world, pause: .milliseconds(250)) }
                            let deadLetters = Task { try await world.sendUnanswerable(20, pause: .milliseconds(250)) }
                            try await eventually("there was traffic") { world.upstream.replyCount > before + 10 }
                            try await services.call(action, service)
                            if action == "kill" { try await services.call("start", service) }
                            try await stream.value
                            try await deadLetters.value
                            try await traffic.check(in: world)
                        }
                    }
                    // Each once, whatever was cut off.
                    try await world.keptDeadLetters(80)
                    // It was not restarted itself.
                    #expect(processor.child.isRunning)
                    try await processor.answersReady(200)
                    #expect(try await processor.terminate() == .status(0))
                }
            }
        }
    }
}
