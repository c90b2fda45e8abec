import AMQP
import Core
import Postgres
import TestSupport
import Testing

extension RestartLane {
    @Suite("TLS to broker and database", .timeLimit(.minutes(15)))
    struct ServerTLSTests {
        private struct Case {
            let extensions: String
            var validity = CertificateAuthority.Validity.now
            var isStranger = false
            var host = "127.0.0.1"
            /// `nil`: the connection is made.
            var refusal: String?
        }

        /// What the servers show, and what is said of it.
        private static let servers = [
            Case(extensions: "subjectAltName=IP:127.0.0.1"),
            Case(extensions: "subjectAltName=DNS:*.payments.test", host: "mq.payments.test"),
            Case(
                extensions: "subjectAltName=DNS:*.payments.test",
                host: "deep.mq.payments.test",
                refusal: "(CN=server) is for another name: DNS:*.payments.test"
            ),
            Case(
                extensions: "subjectAltName=DNS:db.payments.test,IP:10.0.0.1",
                host: "mq.payments.test",
                refusal: "(CN=server) is for another name: DNS:db.payments.test, IP Address:10.0.0.1"
            ),
            Case(
                extensions: "subjectAltName=DNS:mq.payments.test",
                refusal: "(CN=server) is for another name: DNS:mq.payments.test"
            ),
            Case(
                extensions: "subjectAltName=IP:127.0.0.1",
                validity: .over,
                refusal: "(CN=server) has expired on 2020-02-01"
            ),
            Case(
                extensions: "subjectAltName=IP:127.0.0.1",
                validity: .notYet,
                refusal: "(CN=server) is not valid before 2048-01-01"
            ),
            Case(
                extensions: "subjectAltName=IP:127.0.0.1",
                isStranger: true,
                refusal: "(CN=server) is issued by CN=another authority, which is not trusted by "
            ),
        ]

        @Test(
            "certificates for an address, a wildcard, another name, out of date, of a stranger: each refusal says which and why"
        )
        func serverCertificates() async throws {
            try await TLSWorld.run { world in
                for server in Self.servers {
                    let issuer = server.isStranger ? world.stranger : world.authority
                    try await world.renew(server.extensions, server.validity, by: issuer)
                    // A server that is told to take them anew says nothing when it has.
                    try await expect(server.refusal, from: world, server.host, client: "client")
                }
            }
        }

        @Test("a client without a certificate, with one out of date or of a stranger: each refusal says which and why")
        func clientCertificates() async throws {
            try await TLSWorld.run { world in
                try await world.authority.issue("late", "extendedKeyUsage=clientAuth", .over)
                try await world.stranger.issue("foreign", "extendedKeyUsage=clientAuth")
                for file in ["foreign.pem", "foreign.key"] {
                    try ScratchDirectory.write(
                        ScratchDirectory.read(world.stranger.path(file)),
                        to: world.authority.path(file)
                    )
                }
                let table: [(client: String?, refusal: String?)] = [
                    ("client", nil), (nil, "wants a client certificate"),
                    ("late", "refuses the client certificate (CN=late): it has expired"),
                    (
                        "foreign",
                        "refuses the client certificate (CN=foreign): its issuer, CN=another authority, is not known"
                    ),
                ]
                for (client, refusal) in table { try await expect(refusal, from: world, client: client) }
            }
        }

        /// One line each of the broker and the database, without the password.
        private func expect(
            _ refusal: String?,
            from world: TLSWorld,
            _ host: String = "127.0.0.1",
            client: String?
        ) async throws {
            let environment = world.environment(host, client: client, prefix: "tls")
            for command in ["topology", "migrate"] {
                var result = try await world.command([command], environment)
                _ = try? await eventually("\(command) ended so", within: .seconds(20)) {
                    if refusal.map({ result.errors.contains($0) }) ?? (result.exit == .status(0)) { return true }
                    result = try await world.command([command], environment)
                    return false
                }
                guard let refusal else {
                    #expect(result.exit == .status(0), "\(command) \(host): \(result.errors)")
                    continue
                }
                #expect(result.exit == .status(69), "\(command) \(host) \(refusal)")
                let lines = result.errors.split(separator: "\n").filter { $0.hasPrefix("processor: ") }
                #expect(lines.count == 1 && lines[0].contains(refusal), "\(command) \(host): \(result.errors)")
            }
        }

        @Test("files that were renewed count from the next connection on")
        func renewed() async throws {
            try await TLSWorld.run { world in
                try await world.authority.issue("renewed", "extendedKeyUsage=clientAuth", .over)
                var broker = try AMQPConfiguration(url: world.amqps())
                broker.caFile = world.authority.caFile
                broker.certFile = world.authority.path("renewed.pem")
                broker.keyFile = world.authority.path("renewed.key")
                let url = world.verifyFull(world.services.servers.databaseURL, client: "renewed")
                let database = try PostgresConfiguration(conninfo: url)
                let first = await #expect(throws: AMQPError.self) { try await AMQPConnection.connect(broker) }
                #expect(first?.code == .tlsFailed)
                await #expect(throws: PostgresError.self) { try await Self.connect(database) }
                try await world.authority.issue("renewed", "extendedKeyUsage=clientAuth")
                await (try await AMQPConnection.connect(broker)).close()
                try await Self.connect(database)
                // And the authorities.
                let trusted = world.authority.path("trusted.pem")
                broker.caFile = trusted
                try ScratchDirectory.write(ScratchDirectory.read(world.stranger.caFile), to: trusted)
                await #expect(throws: AMQPError.self) { try await AMQPConnection.connect(broker) }
                try ScratchDirectory.write(ScratchDirectory.read(world.authority.caFile), to: trusted)
                await (try await AMQPConnection.connect(broker)).close()
            }
        }

        private static func connect(_ configuration: PostgresConfiguration) async throws(PostgresError) {
            await (try await PostgresConnection.connect(configuration)).close()
        }

        @Test("a processor pays over TLS to all three")
        func pays() async throws {
            try await TLSWorld.run { tls in
                let settings = World.Settings(servers: tls.services.servers, processor: ["ALLOW_PLAINTEXT": "false"])
                try await World.run(settings) { world in
                    let bank = try await TLSBank(before: world.bank)
                    var environment = tls.environment(prefix: world.names.prefix).merging(bank.environment) { $1 }
                    environment["DATABASE_URL"] = tls.verifyFull(world.database.url)
                    try await world.startProcessor(nil, environment)
                    let payment = try await world.authorized()
                    #expect(try await world.ask(.capture(payment)).result == "succeeded")
                    await bank.stop()
                }
            }
        }
    }
}
