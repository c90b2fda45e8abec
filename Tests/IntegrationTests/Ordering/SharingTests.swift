import Core
import Glibc
import TestSupport
import Testing

extension RestartLane {
    /// docs/correctness.md#shared-queues.
    @Suite("Several processors share the command queues", .timeLimit(.minutes(5)))
    struct SharingTests {
        private static let partitions = 8

        /// How many partitions each processor says are its own; all partitions are somebody's.
        private static func areEven(_ processors: [ProcessorProcess], in world: World) async throws -> Bool {
            var owned: [Int] = []
            for processor in processors {
                let web = try await processor.admin()
                let state = try await web.json("/readyz")
                await web.shutdown()
                guard state["members"]?.integer == Int64(processors.count) else { return false }
                owned += (state["partitions"]?.elements ?? []).compactMap { $0.integer.map(Int.init) }
                let metric = try await world.metric("payments_partitions_owned", of: processor)
                let share = partitions / processors.count...(partitions + processors.count - 1) / processors.count
                #expect(share.contains(metric))
            }
            return owned.sorted() == Array(0..<partitions)
        }

        private static func answered(by processor: ProcessorProcess, in world: World) async throws -> Int {
            try await world.metric("payments_commands_total", with: "authorize", of: processor)
        }

        @Test("each takes its share, one that comes gets some, and one that leaves or dies hands its own to the others")
        func shares() async throws {
            try await World.run(World.Settings(partitions: Self.partitions)) { world in
                let first = try await world.startProcessor()
                let load = SteadyLoad(world)
                load.start()
                try await load.goesOn()

                let second = try await world.startProcessor()
                #expect(try await world.comesTrue { try await Self.areEven([first, second], in: world) })
                // Both work from now on.
                let before = try await [Self.answered(by: first, in: world), Self.answered(by: second, in: world)]
                #expect(
                    try await world.comesTrue {
                        let now = try await [Self.answered(by: first, in: world), Self.answered(by: second, in: world)]
                        return zip(now, before).allSatisfy { $0 > $1 + 20 }
                    }
                )

                let members = try await world.command(["members", "--json"])
                #expect(members.exit == .status(0), "\(members.errors)")
                let list = try JSONParser.parse(Array(members.output.utf8))["members"]?.elements ?? []
                #expect(list.count == 2)
                #expect(list.flatMap { $0["partitions"]?.elements ?? [] }.count == Self.partitions)
                #expect(list.allSatisfy { $0["version"]?.string?.isEmpty == false && $0["started_at"] != nil })
                let table = try await world.command(["members"])
                #expect(table.output.contains("PARTITIONS"), "\(table.output)")

                #expect(try await first.terminate() == .status(0))
                try await load.goesOn()
                #expect(try await world.comesTrue { try await Self.areEven([second], in: world) })

                let third = try await world.startProcessor()
                #expect(try await world.comesTrue { try await Self.areEven([second, third], in: world) })
                second.child.send(SIGKILL)
                try await load.goesOn()
                #expect(try await world.comesTrue { try await Self.areEven([third], in: world) })
                try await load.stop()
                try await world.expect(load.commands, endAs: "succeeded")
            }
        }

        @Test("the steps of every payment keep their order while processors come, leave and die")
        func order() async throws {
            try await World.run(World.Settings(processor: World.shortLease, partitions: Self.partitions)) { world in
                let lives = (0..<120).map { Lifecycle.number($0) }
                try await world.startProcessor()
                try await withThrowingTaskGroup(of: Void.self) { group in
                    group.addTask {
                        try await withThrowingTaskGroup(of: Void.self) { sending in
                            for (index, life) in lives.enumerated() {
                                sending.addTask {
                                    try await Task.sleep(for: .milliseconds(100 * index))
                                    try await life.send(to: world, apart: .milliseconds(40))
                                }
                            }
                            try await sending.waitForAll()
                        }
                    }
                    for round in 0..<6 {
                        let next = try await world.startProcessor()
                        let others = world.allProcessors.filter { $0.child.isRunning && $0 !== next }
                        #expect(try await world.comesTrue { try await world.shares().count == others.count + 1 })
                        if round % 3 == 2 { others[0].child.send(SIGKILL) } else { try await others[0].terminate() }
                    }
                    try await group.waitForAll()
                }
                for life in lives {
                    _ = try await world.upstream.finalReplies(to: life.steps.map(\.command), within: .seconds(120))
                }
                let deviations = lives.compactMap { $0.deviation(in: world) }
                #expect(deviations == [])
            }
        }

        @Test("nothing is moved while the database is away, and everybody goes on where they were")
        func databaseAway() async throws {
            try await World.run(World.Settings(partitions: Self.partitions)) { world in
                let postgres = ServerURL(world.database.url)
                let proxy = try TCPProxy(toPort: postgres.port)
                defer { proxy.stop() }
                let far = try await world.startProcessor(nil, ["DATABASE_URL": postgres.through(proxy)])
                let near = try await world.startProcessor()
                #expect(try await world.comesTrue { try await Self.areEven([far, near], in: world) })
                proxy.setRefusing(true)
                proxy.cutConnections()
                // The one that is there takes over what the other gives back.
                let commands = (0..<40).map { _ in TestCommand.authorize() }
                for command in commands { try await world.send(command) }
                try await world.expect(commands, endAs: "succeeded")
                proxy.setRefusing(false)
                #expect(try await world.comesTrue { try await Self.areEven([far, near], in: world) })
            }
        }
    }
}

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
