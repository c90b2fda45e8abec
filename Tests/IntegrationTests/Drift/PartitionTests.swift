import AMQP
import Core
import TestSupport
import Testing

extension RestartLane {
    @Suite("The number of partitions", .timeLimit(.minutes(10)))
    struct PartitionTests {
        @Test("goes from eight to four and back under traffic, and every command is answered")
        func upAndDown() async throws {
            let settings = World.Settings(processor: World.shortLease, partitions: 8)
            try await World.run(settings) { world in
                let load = SteadyLoad(world)
                var processor = try await world.startProcessor()
                load.start()
                for partitions in [4, 8] {
                    try await load.goesOn()
                    #expect(try await processor.terminate() == .status(0))
                    // Into all queues there are, with nobody there.
                    try await world.send((0..<40).map { _ in TestCommand.authorize() })
                    processor = try await world.startProcessor(nil, ["AMQP_PARTITIONS": "\(partitions)"])
                    if partitions == 4 {
                        try await processor.logged("beyond amqp.partitions", world.names.commandsQueue(7))
                    }
                    try await load.goesOn()
                }
                try await load.stop()
                try await world.expect(load.commands, endAs: "succeeded")
                try await world.drained()
            }
        }

        @Test("where those beyond may not be unbound, the processor names them and ends with 1")
        func forbidden() async throws {
            try await PrivateServices.run { services in
                let admin = try BrokerAdmin(try #require(services.managementURL))
                let settings = World.Settings(servers: services.servers, partitions: 4)
                try await World.run(settings) { world in
                    try await world.prepareForAudit()
                    let beyond = world.names.commandsQueue(3)
                    let own = "^(?!\(beyond)$).*$"
                    try await admin.makeUser("restricted", configure: own, write: own, read: own)
                    let address = ServerURL(services.servers.amqpURL).asUser("restricted")
                    let changes = ["AMQP_URL": address, "AMQP_PARTITIONS": "3"]
                    let result = try await world.command(["run"], changes)
                    #expect(result.exit == .status(1))
                    #expect(result.errors.contains(beyond), "\(result.errors)")
                }
                await admin.shutdown()
            }
        }

        @Test("a user who may not publish replies is refused at start, in one line, before any card is charged")
        func defaultExchange() async throws {
            try await PrivateServices.run { services in
                let admin = try BrokerAdmin(try #require(services.managementURL))
                try await World.run(World.Settings(servers: services.servers)) { world in
                    try await world.prepareForAudit()
                    try await admin.makeUser("silent", write: "^test-.*$")
                    let address = ServerURL(services.servers.amqpURL).asUser("silent")
                    let result = try await world.command(["run"], ["AMQP_URL": address])
                    #expect(result.exit == .status(1))
                    #expect(result.errors.split(separator: "\n").last?.contains("default exchange") == true)
                    #expect(try await world.bank.requests().isEmpty)
                }
                await admin.shutdown()
            }
        }
    }
}
