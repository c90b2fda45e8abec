import Core
import Glibc
import HTTPClient
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

extension RestartLane {
    @Suite("Readiness", .timeLimit(.minutes(20)))
    struct ReadinessTests {
        @Test("is what was achieved lately: servers that hang or take nothing are reported, and so is their recovery")
        func lately() async throws {
            try await PrivateServices.run { services in
                try await World.run(World.Settings(servers: services.servers)) { world in
                    let database = try TCPProxy(toPort: ServerURL(world.database.url).port)
                    defer { database.stop() }
                    let processor = try await world.startProcessor(
                        nil,
                        ["DATABASE_URL": ServerURL(world.database.url).through(database)]
                    )
                    let web = try await processor.admin()
                    func problems() async throws -> String {
                        let answer = try await web.send(.get, "/readyz")
                        return answer.status == 503 ? String(decoding: answer.body, as: UTF8.self) : ""
                    }

                    try await services.call("alarm", "rabbitmq")
                    try await eventually("the alarm was reported") {
                        try await problems().contains("the broker takes no messages: low on memory")
                    }
                    try await services.call("calm", "rabbitmq")
                    try await processor.answersReady(200)
                    _ = try await world.authorized()

                    try services.send(SIGSTOP, to: "rabbitmq")
                    try await eventually("the hanging broker was reported") {
                        let text = try await problems()
                        return text.contains(#""broker":"stalled""#)
                            && text.contains("publishing to the broker has not worked")
                    }
                    try services.send(SIGCONT, to: "rabbitmq")
                    try await processor.answersReady(200)
                    _ = try await world.authorized()

                    database.setStalled(.toClient, true)
                    try await eventually("the hanging database was reported") {
                        try await problems().contains("statements at the database has not worked")
                    }
                    database.setStalled(.toClient, false)
                    try await processor.answersReady(200)
                    _ = try await world.authorized()
                    await web.shutdown()
                }
            }
        }
    }
}
