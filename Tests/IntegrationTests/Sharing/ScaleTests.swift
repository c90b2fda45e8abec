import Core
import Glibc
import TestSupport
import Testing

extension RestartLane {
    /// Where a processor is bounded by waiting for the bank, several do several times as much; and none of them is missed for long.
    /// `scripts/bench-scale` and `scripts/bench-restarts` measure how much, and how long.
    @Suite("Several processors and a slow bank", .timeLimit(.minutes(5)))
    struct ScaleTests {
        @Test("all of them together have as many requests at the bank as each of them may have")
        func requests() async throws {
            let (count, concurrency) = (4, 8)
            let limits = ["AMQP_PREFETCH": "4", "BANK_CONCURRENCY": "\(concurrency)"]
            try await World.run(World.Settings(processor: limits, partitions: 32)) { world in
                for _ in 0..<count { try await world.startProcessor() }
                #expect(try await world.comesTrue { try await world.shares() == Array(repeating: 8, count: count) })
                // Nothing is answered before all of them have what they can have.
                try await world.bank.fault("latency", count: nil, milliseconds: 20_000)
                let commands = (0..<200).map { _ in TestCommand.authorize() }
                try await world.upstream.publish(commands, to: world.names)
                #expect(try await world.comesTrue { try await world.bank.requests().count >= count * concurrency })
                try await world.bank.clearFaults()
                // Those that are slow are all under way at the same time, and no others.
                let held = try await world.bank.requests().count
                #expect(held == count * concurrency)
                try await world.expect(commands, endAs: "succeeded")
            }
        }

        @Test("one of two that is killed: the other goes on, all queues flow, and what it had in hand is answered once")
        func killed() async throws {
            try await World.run(World.Settings(processor: World.shortLease, partitions: 8)) { world in
                let processors = [try await world.startProcessor(), try await world.startProcessor()]
                #expect(try await world.comesTrue { try await world.shares() == [4, 4] })
                let load = SteadyLoad(world)
                load.start()
                try await load.goesOn()
                try await world.bank.fault("latency", count: 24, milliseconds: 3_000)
                let slow = (0..<40).map { _ in TestCommand.authorize() }
                try await world.upstream.publish(slow, to: world.names)
                #expect(
                    try await world.comesTrue {
                        try await world.bank.requests().count { $0.fault == "latency" } == 24
                    }
                )
                let held = "SELECT count(*) FROM operations WHERE state = 'SENT'"
                #expect(try await world.database.number(held) >= 24)
                processors[0].child.send(SIGKILL)
                try await load.goesOn(200)
                try await load.stop()
                try await world.expect(slow + load.commands, endAs: "succeeded", within: .seconds(60))
                // Some were the killed one's: another processor had to ask again, or by the key.
                #expect(try await world.database.number("SELECT count(*) FROM operations WHERE fencing_token > 1") > 0)
                #expect(try await world.comesTrue { try await world.shares() == [8] })
            }
        }

        @Test("three that are restarted one after the other lose, double and refuse nothing")
        func rollingRestart() async throws {
            try await World.run(World.Settings(partitions: 12)) { world in
                for _ in 0..<3 { try await world.startProcessor() }
                #expect(try await world.comesTrue { try await world.shares() == [4, 4, 4] })
                let load = SteadyLoad(world)
                load.start()
                for processor in world.allProcessors {
                    try await load.goesOn()
                    #expect(try await processor.terminate() == .status(0))
                    try await world.startProcessor()
                    #expect(try await world.comesTrue { try await world.shares() == [4, 4, 4] })
                }
                try await load.goesOn()
                try await load.stop()
                try await world.expect(load.commands, endAs: "succeeded", within: .seconds(60))
                // None of them had to wait for a lease or a retry tier.
                let again = "SELECT count(*) FROM operations WHERE attempts > 1 OR fencing_token > 1"
                #expect(try await world.database.number(again) == 0)
                for processor in world.allProcessors {
                    #expect(!processor.log.contains("outcome=parked"), "\(processor.child.lastWords)")
                }
            }
        }
    }
}
