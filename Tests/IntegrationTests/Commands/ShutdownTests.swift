import AMQP
import Core
import Glibc
import TestSupport
import Testing

extension FaultLane {
    @Suite("Shutdown", .timeLimit(.minutes(10)))
    struct ShutdownTests {
        @Test("SIGTERM under load drains and exits 0, and every command is answered exactly once")
        func underLoad() async throws {
            let settings = World.Settings(bank: ["MIN_LATENCY_MS": "300", "MAX_LATENCY_MS": "300"])
            try await World.run(settings) { world in
                let first = try await world.startProcessor(nil, ["AMQP_PREFETCH": "5"])
                let commands = (0..<100).map { _ in TestCommand.authorize() }
                try await world.send(commands)
                try await eventually("the load was on") {
                    try await world.bank.requests().contains { $0.status == nil } && world.upstream.replyCount > 5
                }
                #expect(try await first.terminate() == .status(0))
                // What it had taken it has finished: nothing is left at the bank or in our tables.
                #expect(try await world.bank.requests().allSatisfy { $0.status == 200 })
                #expect(try await world.database.number("SELECT count(*) FROM operations WHERE reply IS NULL") == 0)
                #expect(world.upstream.replyCount < commands.count, "the load was over before the signal")

                try await world.startProcessor()
                let replies = try await world.upstream.finalReplies(to: commands)
                #expect(replies.allSatisfy { $0.result == "succeeded" && $0.isReplayed == false })
                #expect(commands.allSatisfy { world.upstream.replies(to: $0.correlation).count == 1 })
            }
        }

        @Test("a second SIGTERM ends the processor at once with 1, and another one finishes what it had begun")
        func secondSignal() async throws {
            try await World.run(World.Settings(processor: World.shortLease)) { world in
                let first = try await world.startProcessor()
                try await world.bank.fault("latency", milliseconds: 3_500)
                let command = TestCommand.authorize()
                try await world.send(command)
                try await eventually("the call was at the bank") { try await world.bank.requests().count == 1 }
                first.child.send(SIGTERM)
                try await first.logged("draining")
                first.child.send(SIGTERM)
                #expect(try await first.child.end() == .status(1))
                try await world.startProcessor()
                #expect(try await world.upstream.finalReply(to: command).result == "succeeded")
            }
        }

        @Test("what is not finished within the grace period is left to the next processor")
        func graceOver() async throws {
            var times = World.shortLease
            times["SHUTDOWN_GRACE"] = "500ms"
            try await World.run(World.Settings(processor: times)) { world in
                let first = try await world.startProcessor()
                try await world.bank.fault("latency", milliseconds: 3_500)
                let command = TestCommand.authorize()
                try await world.send(command)
                try await eventually("the call was at the bank") { try await world.bank.requests().count == 1 }
                try await first.terminate()
                try await world.startProcessor()
                #expect(try await world.upstream.finalReply(to: command).result == "succeeded")
            }
        }

        @Test("SIGTERM and SIGINT end an idle processor with 0", arguments: [SIGTERM, SIGINT])
        func idle(_ signal: Int32) async throws {
            try await World.run { world in
                let processor = try await world.startProcessor()
                processor.child.send(signal)
                #expect(try await processor.child.end() == .status(0))
                #expect(processor.log.contains("msg=stopped"))
            }
        }

        @Test("SIGTERM ends a processor that is still waiting for broker and database with 0")
        func waiting() async throws {
            try await World.run { world in
                let port = try ListeningSocket.unusedPort()
                let processor = try world.spawnProcessor(
                    nil,
                    [
                        "AMQP_URL": "amqp://127.0.0.1:\(port)", "DATABASE_URL": "postgresql://x@127.0.0.1:\(port)/x",
                    ]
                )
                try await processor.answersReady(503)
                #expect(try await processor.terminate() == .status(0))
                // For the audit, which wants a schema.
                #expect(try await world.command(["migrate"]).exit == .status(0))
                #expect(try await world.command(["topology"]).exit == .status(0))
            }
        }
    }
}
