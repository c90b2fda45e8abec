import AMQP
import Core
import Glibc
import HTTPClient
import TestSupport
import Testing

extension CommandLane {
    @Suite("Unreachable servers", .timeLimit(.minutes(10)))
    struct UnreachableTests {
        @Test("a command that cannot reach its server ends with 69 and says which one")
        func commands() async throws {
            try await World.run { world in
                let port = try ListeningSocket.unusedPort()
                let settings = [
                    "AMQP_URL": "amqp://guest:hidden@127.0.0.1:\(port)",
                    "DATABASE_URL": "postgresql://someone:hidden@127.0.0.1:\(port)/x",
                ]
                let lines = [
                    (["migrate"], "database"), (["topology"], "broker"), (["payments", "show", Random.id], "database"),
                ]
                for (line, server) in lines {
                    let result = try await world.command(line, settings)
                    #expect(result.exit == .status(69), "\(line): \(result.errors)")
                    #expect(result.errors.contains(server), "\(line): \(result.errors)")
                    #expect(result.errors.contains("127.0.0.1:\(port)"), "\(line): \(result.errors)")
                    #expect(!result.errors.contains("hidden"))
                }
                try await world.prepareForAudit()
            }
        }

        @Test("an admin port that is taken ends the processor with 69")
        func adminPort() async throws {
            try await World.run { world in
                let taken = try ListeningSocket(port: 0)
                defer { close(taken.descriptor) }
                let result = try await world.command(["run"], ["ADMIN_PORT": "\(taken.port)"])
                #expect(result.exit == .status(69))
                #expect(result.errors.contains("port \(taken.port)"))
                try await world.prepareForAudit()
            }
        }

        @Test("a processor waits for broker and database, says so, and works when they are there")
        func waits() async throws {
            try await World.run { world in
                let broker = try TCPProxy(toPort: ServerURL(world.servers.amqpURL).port)
                let database = try TCPProxy(toPort: ServerURL(world.database.url).port)
                defer {
                    broker.stop()
                    database.stop()
                }
                for proxy in [broker, database] { proxy.setRefusing(true) }
                let processor = try world.spawnProcessor(
                    nil,
                    [
                        "AMQP_URL": ServerURL(world.servers.amqpURL).through(broker),
                        "DATABASE_URL": ServerURL(world.database.url).through(database),
                    ]
                )
                try await check(processor, 503, broker: false, database: false)
                broker.setRefusing(false)
                try await check(processor, 503, database: false)
                database.setRefusing(false)
                try await check(processor, 200, broker: true, database: true)
                _ = try await world.authorized()

                for proxy in [broker, database] {
                    proxy.setRefusing(true)
                    proxy.cutConnections()
                }
                try await check(processor, 503, broker: false, database: false)
                let command = TestCommand.authorize()
                try await world.send(command)
                for proxy in [broker, database] { proxy.setRefusing(false) }
                #expect(try await world.upstream.finalReply(to: command).result == "succeeded")
                try await check(processor, 200, broker: true, database: true)
            }
        }

        /// Without `broker` it may say either: it is `ok` only when the queues are subscribed, for which the database comes first.
        private func check(
            _ processor: ProcessorProcess,
            _ status: Int,
            broker: Bool? = nil,
            database: Bool
        ) async throws {
            let web = try await processor.admin()
            try await eventually("/readyz was as expected", context: { processor.child.lastWords }) {
                let answer = try await web.send(.get, "/readyz")
                let json = try JSONParser.parse(answer.body)
                return answer.status == status && json["ready"] == .bool(status == 200)
                    && (broker == nil || (json["broker"]?.string == "ok") == broker)
                    && (json["database"]?.string == "ok") == database
            }
            #expect(try await web.send(.get, "/healthz").status == 200)
            await web.shutdown()
        }
    }
}

extension CommandLane {
    @Suite("A start that fails while probes ask", .timeLimit(.minutes(10)))
    struct ProbedStartTests {
        @Test("ends with its one line and its exit code, every time")
        func otherSecret() async throws {
            try await World.run { world in
                try await world.startProcessor().terminate()
                let port = try ListeningSocket.unusedPort()
                let probing = (0..<8).map { _ in Self.probe(port) }
                defer { for task in probing { task.cancel() } }
                for attempt in 0..<25 {
                    let result = try await world.command(
                        ["run"],
                        ["FINGERPRINT_SECRET": "another-secret-than-before-0123456789", "ADMIN_PORT": "\(port)"]
                    )
                    #expect(result.exit == .status(78), "attempt \(attempt): \(result.errors)")
                    let lines = result.errors.split(separator: "\n").filter { $0.hasPrefix("processor: ") }
                    #expect(lines.count == 1 && lines[0].contains("fingerprint.secret"), "\(result.errors)")
                    #expect(!result.errors.contains("Fatal error"), "\(result.errors)")
                }
            }
        }

        /// Opens connections as fast as it can, and asks on each.
        private static func probe(_ port: UInt16) -> Task<Void, Never> {
            Task.detached {
                let request = Array("GET /readyz HTTP/1.1\r\nHost: localhost\r\n\r\n".utf8)
                while !Task.isCancelled {
                    let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
                    var address = sockaddr_in()
                    address.sin_family = sa_family_t(AF_INET)
                    address.sin_port = port.bigEndian
                    address.sin_addr.s_addr = in_addr_t(0x7f00_0001).bigEndian
                    let size = socklen_t(MemoryLayout<sockaddr_in>.size)
                    let isConnected = withUnsafePointer(to: &address) { pointer in
                        pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { connect(descriptor, $0, size) }
                    }
                    if isConnected == 0 { _ = Glibc.send(descriptor, request, request.count, Int32(MSG_NOSIGNAL)) }
                    close(descriptor)
                    await Task.yield()
                }
            }
        }
    }
}

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
