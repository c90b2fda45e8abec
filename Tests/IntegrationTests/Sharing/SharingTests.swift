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
