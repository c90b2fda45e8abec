import Core
import TestSupport
import Testing

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
