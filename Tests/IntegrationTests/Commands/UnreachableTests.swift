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
