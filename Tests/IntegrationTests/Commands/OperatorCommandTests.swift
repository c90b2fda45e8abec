import AMQP
import Core
import TestSupport
import Testing

extension CommandLane {
    @Suite("Operator commands", .timeLimit(.minutes(10)))
    struct OperatorCommandTests {
        @Test("topology declares everything, and once more changes nothing")
        func topologyTwice() async throws {
            try await World.run { world in
                let first = try await world.command(["topology"])
                #expect(first.exit == .status(0), "\(first.errors)")
                let second = try await world.command(["topology"])
                #expect(second.exit == .status(0), "\(second.errors)")
                #expect(first.output == second.output)
                let topology = Topology(names: world.names, partitions: world.settings.partitions)
                try await world.upstream.withConnection { connection in
                    for queue in topology.queues { _ = try await connection.checkQueue(queue.name) }
                    for exchange in topology.exchanges { try await connection.checkExchange(exchange.name) }
                }
                try await world.startProcessor()
            }
        }

        @Test("an object with other arguments is named with the argument, exit 1", arguments: ["topology", "run"])
        func otherArguments(_ command: String) async throws {
            try await World.run { world in
                let queue = world.names.commandsQueue(1)
                try await world.upstream.withConnection { connection in
                    _ = try await connection.declareQueue(
                        queue,
                        arguments: ["x-queue-type": "quorum", "x-delivery-limit": 7]
                    )
                }
                let result = try await world.command([command])
                #expect(result.exit == .status(1))
                let line = result.errors.split(separator: "\n").last { $0.hasPrefix("processor: ") }
                #expect(line?.contains("queue \(queue) ") == true, "\(result.errors)")
                #expect(line?.contains("'x-") == true, "\(result.errors)")

                try await world.upstream.withConnection { _ = try await $0.deleteQueue(queue) }
                try await world.startProcessor()
            }
        }

        @Test("without amqp.declare nothing is made, and what is missing is named")
        func withoutDeclaring() async throws {
            try await World.run { world in
                let result = try await world.command(["run"], ["AMQP_DECLARE": "false"])
                #expect(result.exit == .status(1))
                let line = result.errors.split(separator: "\n").last { $0.hasPrefix("processor: ") }
                #expect(line?.contains("missing at the broker: ") == true)
                #expect(line?.contains("exchange \(world.names.unrouted)") == true)
                #expect(try await world.command(["topology"]).exit == .status(0))
                try await world.startProcessor(nil, ["AMQP_DECLARE": "false"])
                _ = try await world.authorized()
            }
        }

        @Test("migrate applies what is missing, and then nothing")
        func migrateTwice() async throws {
            try await World.run { world in
                let first = try await world.command(["migrate"])
                #expect(first.exit == .status(0))
                #expect(first.output.hasPrefix("0001_"))
                let second = try await world.command(["migrate"])
                #expect(second.exit == .status(0))
                #expect(second.output == "")
                try await world.startProcessor()
            }
        }

        @Test("an applied migration that was edited is an error that names it", arguments: ["migrate", "run"])
        func editedMigration(_ command: String) async throws {
            try await World.run { world in
                try await world.startProcessor()
                try await world.database.execute(
                    #"UPDATE schema_migrations SET checksum = '\x00' WHERE name LIKE '0001%'"#
                )
                let result = try await world.command([command])
                #expect(result.exit == .status(1))
                let line = result.errors.split(separator: "\n").last { $0.hasPrefix("processor: ") }
                #expect(line?.contains("migration 0001_") == true, "\(result.errors)")
                #expect(line?.contains("was edited") == true, "\(result.errors)")
            }
        }

        @Test("a database of a newer version is refused")
        func newerMigration() async throws {
            try await World.run { world in
                try await world.startProcessor()
                try await world.database.execute(
                    #"INSERT INTO schema_migrations (name, checksum) VALUES ('9999_future', '\x00')"#
                )
                let result = try await world.command(["migrate"])
                #expect(result.exit == .status(78))
                #expect(result.errors.contains("9999_future"))
            }
        }

        @Test("another fingerprint secret than the database has seen is a configuration error")
        func otherSecret() async throws {
            try await World.run { world in
                let secrets = ["first-secret-of-the-test", "other-secret-of-the-test"]
                let processor = try await world.startProcessor(nil, ["FINGERPRINT_SECRET": secrets[0]])
                #expect(try await processor.terminate() == .status(0))
                let result = try await world.command(["run"], ["FINGERPRINT_SECRET": secrets[1]])
                #expect(result.exit == .status(78))
                #expect(result.errors.contains("fingerprint.secret"))
                for secret in secrets { #expect(!result.errors.contains(secret)) }
                try await world.startProcessor(nil, ["FINGERPRINT_SECRET": secrets[0]])
            }
        }

        @Test("the secret changes where the one before is named, and a duplicate gets the same reply across it")
        func secretRotation() async throws {
            try await World.run { world in
                let secrets = ["first-secret-of-the-test", "other-secret-of-the-test"]
                let first = try await world.startProcessor(nil, ["FINGERPRINT_SECRET": secrets[0]])
                let command = TestCommand.authorize()
                let reply = try await world.ask(command)
                #expect(try await first.terminate() == .status(0))
                let rotated = ["FINGERPRINT_SECRET": secrets[1], "FINGERPRINT_PREVIOUS_SECRETS": secrets[0]]
                let second = try await world.startProcessor(nil, rotated)
                #expect(try await world.ask(command.duplicate).body == reply.body)
                #expect(try await second.terminate() == .status(0))
                let before = try await world.command(["run"], ["FINGERPRINT_SECRET": secrets[0]])
                #expect(before.exit == .status(78))
                try await world.startProcessor(nil, rotated)
            }
        }

        @Test("check-config connects to nothing and prints the effective values, without secrets")
        func checkConfig() async throws {
            try await World.run { world in
                let settings = [
                    "AMQP_URL": "amqp://someone:hidden-1@127.0.0.1:1/%2f",
                    "DATABASE_URL": "postgresql://someone:hidden-2@127.0.0.1:1/nowhere",
                    "FINGERPRINT_SECRET": "hidden-3-hidden-3", "ADMIN_TOKEN": "hidden-4-hidden-4", "BANK_TIMEOUT": "9s",
                ]
                let result = try await world.command(["check-config"], settings)
                #expect(result.exit == .status(0), "\(result.errors)")
                #expect(!(result.output + result.errors).contains("hidden"))
                #expect(result.output.contains("amqp.url = amqp://someone:***@127.0.0.1:1/%2f"))
                #expect(result.output.contains("bank.timeout = 9s"))
                #expect(result.output.contains("fingerprint.secret = ***"))
                #expect(result.output.contains("admin.token = ***"))
                try await world.prepareForAudit()
            }
        }

        @Test("all that is wrong with the configuration is said at once, without values, exit 78")
        func badConfiguration() async throws {
            try await World.run { world in
                let settings = [
                    "AMQP_URL": "http://someone:hidden-1@host", "BANK_TIMEOUT": "15 parsecs", "AMQP_PARTITIONS": "0",
                    "FINGERPRINT_SECRET": "short", "LOG_LEVEL": "loud",
                ]
                for command in ["check-config", "run", "migrate", "topology"] {
                    let result = try await world.command([command], settings)
                    #expect(result.exit == .status(78))
                    for key in ["amqp.url", "bank.timeout", "amqp.partitions", "fingerprint.secret", "log.level"] {
                        #expect(result.errors.contains("processor: \(key) "), "\(command): \(result.errors)")
                    }
                    #expect(!result.errors.contains("hidden-1"))
                    #expect(result.output == "")
                }
                try await world.prepareForAudit()
            }
        }

        @Test("a wrong command line is a usage error, exit 64")
        func usage() async throws {
            try await World.run { world in
                let lines = [
                    ["fly"], ["run", "--no-such-option"], ["payments", "show", "no-uuid"], ["payments", "show"],
                    ["payments", "list"], ["payments", "list", "--order-id", "o", "--limit", "0"],
                ]
                for line in lines {
                    let result = try await world.command(line)
                    #expect(result.exit == .status(64), "\(line): \(result.errors)")
                    #expect(!result.errors.isEmpty)
                }
                try await world.prepareForAudit()
            }
        }
    }
}

extension World {
    /// For tests that never start a processor: the schema and the queues that the audit looks at.
    func prepareForAudit() async throws {
        for name in ["migrate", "topology"] {
            let result = try await command([name])
            #expect(result.exit == .status(0), "\(result.errors)")
        }
    }
}

extension CommandLane {
    @Suite("Output that cannot be written", .timeLimit(.minutes(10)))
    struct WriteErrorTests {
        @Test("every command of the processor that prints data ends with one line and 74")
        func processor() async throws {
            try await World.run { world in
                try await world.startProcessor()
                let payment = try await world.authorized()
                let commands = [
                    ["--help"], ["--version"], ["run", "--help"], ["topology"], ["check-config"],
                    ["check-config", "--json"], ["payments", "show", payment], ["payments", "show", payment, "--json"],
                    ["payments", "list", "--order-id", "o"], ["payments", "list", "--order-id", "o", "--json"],
                    ["payments", "reconcile-report"], ["payments", "reconcile-report", "--json"],
                    ["dead-letters", "list"], ["dead-letters", "list", "--json"], ["dead-letters", "stats"],
                    ["dead-letters", "stats", "--json"], ["dead-letters", "replay", "--all", "--dry-run", "--json"],
                    ["dead-letters", "discard", "--all", "--reason", "r", "--confirm", "0"],
                    ["sweeps", "status"], ["sweeps", "status", "--json"], ["sweeps", "run", "reconcile", "--json"],
                ]
                for command in commands {
                    let result = try await world.command(command, output: "/dev/full")
                    #expect(result.exit == .status(74), "\(command): \(result.errors)")
                    let lines = result.errors.split(separator: "\n").filter { $0.hasPrefix("processor: standard ") }
                    #expect(
                        lines == ["processor: standard output cannot be written: No space left on device"],
                        "\(command): \(result.errors)"
                    )
                }
                let empty = try await world.database.number("SELECT count(*) FROM payments")
                #expect(empty == 1)
            }
        }

        @Test("migrate ends with 74, and has done its work")
        func migrate() async throws {
            try await World.run { world in
                let result = try await world.command(["migrate"], output: "/dev/full")
                #expect(result.exit == .status(74), "\(result.errors)")
                try await world.startProcessor()
            }
        }

        @Test("a command of the publisher ends with 74, and has been done")
        func publisher() async throws {
            try await World.run { world in
                try await world.startProcessor()
                let payment = Random.id
                let card = TestCard.ample
                let authorize = [
                    "authorize", "--amount", "5000", "--order-id", "o", "--customer-id", "c", "--payment-id", payment,
                    "--card", card.number, "--cvv", card.cvv, "--expiry", "\(card.expiryMonth)/\(card.expiryYear)",
                ]
                for command in [authorize, ["void", "--payment-id", payment, "--json"], authorize + ["--no-wait"]] {
                    let result = try await world.publisher(command, output: "/dev/full")
                    #expect(result.exit == .status(74), "\(command): \(result.errors)")
                }
                try await eventually("the payment was voided") {
                    try await world.database.number("SELECT count(*) FROM payments WHERE status = 'VOIDED'") == 1
                }
            }
        }

        @Test("so do the simulation and the bank simulator", arguments: ["--help", "--version", nil])
        func others(option: String?) async throws {
            let programs = [
                (try TestPrograms.simulate(), option.map { [$0] } ?? ["--seeds", "1..2"]),
                (try TestPrograms.bankSimulator(), option.map { [$0] } ?? ["--port", "0"]),
            ]
            for (program, arguments) in programs {
                let child = try Child(program, arguments, output: "/dev/full")
                #expect(try await child.end() == .status(74), "\(child.lastWords)")
                #expect(child.standardError.contains(": standard output cannot be written: No space left on device\n"))
                child.directory.remove()
            }
        }
    }
}
