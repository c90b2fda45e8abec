import AMQP
import Core
import TestSupport
import Testing

extension CommandLane {
    @Suite("The doctor", .timeLimit(.minutes(10)))
    struct DoctorTests {
        @Test("where all is well it says so; what is wrong is named with what to do, and is 1")
        func doctor() async throws {
            try await World.run(World.Settings(isAudited: false)) { world in
                try await world.startProcessor()
                let well = try await world.command(["doctor"])
                #expect(well.exit == .status(0), "\(well.output) \(well.errors)")
                #expect(well.output.contains("nothing is wrong"))
                for check in ["broker rights", "topology", "schema", "database role", "bank", "clock of the bank"] {
                    #expect(well.output.contains("\n\(check) "), "\(check): \(well.output)")
                }
                try await world.bank.fault("down", on: nil, count: nil)
                let ill = try await world.command([
                    "doctor", "--json", "--amqp-url", "amqp://guest:guest@127.0.0.1:1/%2f",
                ])
                #expect(ill.exit == .status(1), "\(ill.errors)")
                let checks = try JSONParser.parse(Array(ill.output.utf8))["checks"]?.elements ?? []
                func result(_ name: String) -> JSONValue? { checks.first { $0["check"]?.string == name } }
                #expect(result("broker")?["result"]?.string == "wrong", "\(ill.output)")
                #expect(
                    result("broker")?["detail"]?.string?.contains("connection refused by 127.0.0.1:1") == true,
                    "\(ill.output)"
                )
                #expect(result("bank")?["result"]?.string == "wrong", "\(ill.output)")
                #expect(result("database")?["result"]?.string == "ok", "\(ill.output)")
            }
        }

        @Test("with fewer partitions than there are it says so, and takes no queue off the commands exchange")
        func fewerPartitions() async throws {
            try await World.run(World.Settings(isAudited: false)) { world in
                #expect(try await world.command(["topology"]).exit == .status(0))
                let said = try await world.command(["doctor", "--amqp-partitions", "1"])
                #expect(said.output.contains("queues beyond amqp.partitions"), "\(said.output)")
                // Two queues share them by their payment ids.
                try await world.send((0..<60).map { _ in TestCommand.authorize() })
                for partition in 0..<2 {
                    let queue = world.names.commandsQueue(partition)
                    let count = try await world.waiting(in: queue)
                    #expect(count > 0, "nothing is routed to \(queue)")
                }
                try await world.startProcessor()
            }
        }
    }
}
