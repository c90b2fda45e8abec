import Core
import Simulation
import Synchronization
import Testing

/// A command queue that two processors are subscribed to.
private struct SharedQueue: Sendable {
    let world: World
    let broker: SimulatedBroker
    let queue: String

    init(_ world: World) {
        let names = BrokerNames()
        self.world = world
        broker = SimulatedBroker(
            time: world.time,
            topology: Topology(names: names, partitions: 1),
            names: names,
            trace: Trace(time: world.time, isRecording: false)
        )
        queue = names.commandsQueue(0)
    }

    func send(_ kind: OperationKind, payment: String = World.payment, key: String) {
        var message = CommandMessage.valid(kind, payment: payment, key: key, body: nil)
        message.messageID = "message-\(key)"
        let outcome = broker.publish(message, exchange: broker.names.commandsExchange, routingKey: "")
        #expect(outcome == .confirmed)
    }

    func membership(_ id: String) -> Membership {
        Membership(
            id: id,
            version: "1.0",
            partitions: 1,
            store: world.store,
            time: world.time,
            observer: world.observer
        )
    }

    /// Reads until that reading has ended; what was read is seen through in `group`.
    func read(
        _ consumer: CommandConsumer,
        prefetch: Int = 2,
        _ reading: CommandReading,
        _ group: inout ThrowingTaskGroup<Void, any Error>
    ) throws {
        let connection = try #require(broker.connect())
        let source = connection.subscribe(queue, prefetch: prefetch) { $0 }
        group.addTask { await consumer.consume(source, reading, giveBack: { connection.close() }) }
    }

    var waiting: Int { broker.contents(queue).count }
}

@Suite("A queue that is left to another processor", .timeLimit(.minutes(1)))
struct HandOverTests {
    private static func run(_ work: @escaping @Sendable (World, SharedQueue) async throws -> Void) throws {
        for seed in [nil, 1, 2, 3] as [UInt64?] {
            let world = World(seed: seed ?? 0)
            try StepExecutor(seed: seed).run(in: world.time) { try await work(world, SharedQueue(world)) }
            #expect(world.bank.overlaps == 0)
        }
    }

    @Test("is read on from the first command that was not read, when all that was read is done with")
    func inOrder() throws {
        try Self.run { world, shared in
            try await withThrowingTaskGroup(of: Void.self) { group in
                let readings = [CommandReading(prefetch: 64), CommandReading(prefetch: 64)]
                for reading in readings { try shared.read(world.consumer(), reading, &group) }
                world.bank.delayNext(by: .seconds(5))
                shared.send(.authorize, key: "a")
                shared.send(.capture, key: "c")
                shared.send(.void, key: "v")
                try await world.until { world.bank.requests.count == 1 }
                readings[0].stop()
                try await world.until { world.finalReplies("v").count == 1 && shared.waiting == 0 }
                let outcomes = ["a", "c", "v"].map { world.finalReplies($0).map(\.outcome) }
                #expect(outcomes == [["succeeded"], ["succeeded"], ["rejected"]])
                readings[1].stop()
                try await group.waitForAll()
            }
        }
    }

    @Test("does not wait longer than half a second for it where the other is known to wait")
    func underWay() throws {
        try Self.run { world, shared in
            try await withThrowingTaskGroup(of: Void.self) { group in
                let members = [shared.membership("a"), shared.membership("b")]
                let readings = members.map { CommandReading(PartitionShare($0, partition: 0), prefetch: 64) }
                for member in members {
                    member.note(subscribed: 0, true)
                    group.addTask { await member.run {} }
                }
                try await world.until { members.allSatisfy { $0.count == 2 } }
                // Whoever owns it reads first; the other one goes on trying.
                let order = members[0].owned.isEmpty ? [1, 0] : [0, 1]
                try shared.read(world.consumer(), readings[order[0]], &group)
                let (consumer, connection) = (world.consumer(), try #require(shared.broker.connect()))
                group.addTask {
                    while !Task.isCancelled {
                        let source = connection.subscribe(shared.queue, prefetch: 2) { $0 }
                        let reading = CommandReading(PartitionShare(members[order[1]], partition: 0), prefetch: 64)
                        await consumer.consume(source, reading, giveBack: {})
                    }
                }
                // Gets what is deferred.
                let deferred = world.broker.subscribe()
                group.addTask { await world.serve(world.consumer(), deferred) }
                world.bank.delayNext(by: .seconds(8))
                shared.send(.authorize, key: "a")
                try await world.until { world.bank.requests.count == 1 }
                for (kind, key) in [(OperationKind.capture, "c"), (.refund, "r"), (.void, "v")] {
                    shared.send(kind, key: key)
                }
                let stopped = world.time.uptime()
                readings[order[0]].stop()
                await readings[order[0]].untilClosed()
                #expect(world.time.uptime() - stopped < .seconds(1))
                #expect(world.finalReplies("a").isEmpty)
                try await world.until { world.finalReplies("v").count >= 1 }
                let outcomes = ["a", "c", "r", "v"].map { Set(world.finalReplies($0).map(\.outcome)) }
                #expect(outcomes == [["succeeded"], ["succeeded"], ["succeeded"], ["rejected"]])
                #expect(world.bank.ledger.count == 3)
                group.cancelAll()
            }
        }
    }

    @Test("is left to its owner also where a slow bank has taken all room in it, and nothing more is delivered")
    func noRoom() throws {
        try Self.run { world, shared in
            try await withThrowingTaskGroup(of: Void.self) { group in
                let members = [shared.membership("a"), shared.membership("b")]
                let owner =
                    try #require(PartitionShares(members: ["a", "b"], partitions: 1).owner(of: 0)) == "a" ? 0 : 1
                let readings = members.map { CommandReading(PartitionShare($0, partition: 0), prefetch: 2) }
                let (slow, other) = (1 - owner, owner)
                members[slow].note(subscribed: 0, true)
                group.addTask { await members[slow].run(onRenewal: readings[slow].review) }
                try shared.read(world.consumer(), readings[slow], &group)
                for _ in 0..<2 { world.bank.delayNext(by: .seconds(14)) }
                for number in 0..<3 { shared.send(.authorize, payment: World.payment(number), key: "a-\(number)") }
                try await world.until { world.bank.requests.count == 2 }
                let begun = world.time.uptime()
                try shared.read(world.consumer(), readings[other], &group)
                members[other].note(subscribed: 0, true)
                group.addTask { await members[other].run(onRenewal: readings[other].review) }
                try await world.until { !world.finalReplies("a-2").isEmpty }
                #expect(world.time.uptime() - begun < .seconds(6))
                #expect(world.finalReplies("a-0").isEmpty && world.finalReplies("a-1").isEmpty)
                try await world.until { !world.finalReplies("a-0").isEmpty && !world.finalReplies("a-1").isEmpty }
                #expect(world.bank.ledger.count == 3)
                group.cancelAll()
            }
        }
    }
}

@Suite("The shares of the partitions")
struct PartitionSharesTests {
    private static func members(_ numbers: Range<Int>) -> [String] { numbers.map { "host-\($0)-x\($0 * 7_919)" } }

    @Test("are even, and every partition has an owner", arguments: [1, 2, 3, 4, 5, 7, 8, 9, 20])
    func even(count: Int) {
        for start in 0..<20 {
            let members = Self.members(start..<start + count)
            let shares = PartitionShares(members: members, partitions: 8)
            let sizes = members.map { shares.partitions(of: $0).count }
            #expect(sizes.reduce(0, +) == 8)
            #expect(sizes.allSatisfy { (8 / count...(8 + count - 1) / count).contains($0) })
            #expect((0..<8).allSatisfy { shares.owner(of: $0) != nil })
        }
    }

    @Test("are the same in whatever order the members are seen")
    func order() {
        let members = Self.members(0..<6)
        let shares = PartitionShares(members: members, partitions: 64)
        #expect(PartitionShares(members: members.reversed(), partitions: 64) == shares)
        #expect(PartitionShares(members: members + members, partitions: 64) == shares)
    }

    @Test("move little when a member comes or goes")
    func moves() {
        var moved = 0
        for start in 0..<50 {
            let before = PartitionShares(members: Self.members(start..<start + 4), partitions: 60)
            let after = PartitionShares(members: Self.members(start..<start + 5), partitions: 60)
            moved += (0..<60).count { before.owner(of: $0) != after.owner(of: $0) }
        }
        // A fifth at least. Spread anew, four fifths would move.
        #expect(moved >= 50 * 12)
        #expect(moved < 50 * 30)
    }

    @Test("of nobody are nobody's, and there is nothing beyond the partitions")
    func nobody() {
        let shares = PartitionShares(members: [], partitions: 8)
        #expect((0..<8).allSatisfy { shares.owner(of: $0) == nil })
        #expect(PartitionShares(members: ["a"], partitions: 8).owner(of: 8) == nil)
        #expect(PartitionShares(members: ["a"], partitions: 8).owner(of: -1) == nil)
    }
}
