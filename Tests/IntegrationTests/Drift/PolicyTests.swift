import AMQP
import Core
import TestSupport
import Testing

extension RestartLane {
    @Suite("What AMQP does not tell", .timeLimit(.minutes(10)))
    struct PolicyTests {
        @Test("a policy that removes what waits, and a lost binding, are named at start and while running")
        func named() async throws {
            try await PrivateServices.run { services in
                let url = try #require(services.managementURL)
                let admin = try BrokerAdmin(url)
                let changes = ["AMQP_MANAGEMENT_URL": url, "AMQP_DECLARE": "false"]
                try await World.run(World.Settings(servers: services.servers, processor: changes)) { world in
                    #expect(try await world.command(["topology"]).exit == .status(0))
                    let names = world.names
                    try await world.unbind(names.commandsQueue(0), from: names.commandsExchange, key: "1")
                    let refused = try await world.command(["run"])
                    #expect(refused.exit == .status(1))
                    #expect(refused.errors.contains("binding of \(names.commandsQueue(0))"), "\(refused.errors)")
                    #expect(try await world.command(["topology"]).exit == .status(0))

                    try await admin.setPolicy("ours", on: "^\(names.commandsQueue(1))$", #"{"message-ttl":3600000}"#)
                    let processor = try await world.startProcessor()
                    let problem = "the policy of queue \(names.commandsQueue(1)) removes what waits: message-ttl"
                    try await processor.logged(problem)
                    try await processor.reportsProblem(problem)
                    try await processor.answersReady(200)
                    try await world.unbind(names.retryQueue(.hour1), from: names.retryExchange, key: "1h")
                    try await processor.reportsProblem(
                        "binding of \(names.retryQueue(.hour1)) to \(names.retryExchange) is missing"
                    )
                    _ = try await world.authorized()

                    try await admin.removePolicy("ours")
                    #expect(try await world.command(["topology"]).exit == .status(0))
                    try await processor.reportsNoProblem()
                }
                await admin.shutdown()
            }
        }
    }
}
