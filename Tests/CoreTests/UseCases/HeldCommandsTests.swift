import Simulation
import Synchronization
import Testing

@testable import Core

@Suite("Commands that are held", .timeLimit(.minutes(1)))
struct HeldCommandsTests {
    private func simulate(_ work: @escaping @Sendable (VirtualTime, HeldCommands) async throws -> Void) throws {
        for seed in [nil, 1, 2, 3] as [UInt64?] {
            let time = VirtualTime()
            try StepExecutor(seed: seed).run(in: time) { try await work(time, HeldCommands()) }
        }
    }

    @Test("each gets its place once, in the order of arrival")
    func order() throws {
        try simulate { time, held async throws in
            let commands = try (0..<6).map { try PaymentFixture.command(.capture, key: "k-\($0)") }
            let holds = commands.map { held.hold($0) }
            let placed = Log()
            for _ in 0..<2 {
                let areAllPlaced = await held.placeAll { command in
                    try? await time.sleep(for: .milliseconds(3))
                    placed.add(command.idempotencyKey.description)
                    return true
                }
                #expect(areAllPlaced)
            }
            #expect(placed.lines == commands.map(\.idempotencyKey.description))
            // The store knows them now, and must be asked to decide them.
            #expect(holds.allSatisfy { !$0.withdraw() })
            for hold in holds { hold.letGo() }
        }
    }

    @Test("what is on its way to the store is awaited, and not placed a second time")
    func onItsWay() throws {
        try simulate { time, held async throws in
            let hold = held.hold(try PaymentFixture.command(.capture))
            let log = Log()
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask {
                    try await hold.place { () async throws(StoreError) in
                        try? await time.sleep(for: .seconds(1))
                        log.add("claimed")
                    }
                }
                group.addTask {
                    try await time.sleep(for: .milliseconds(500))
                    _ = await held.placeAll { _ in
                        log.add("registered")
                        return true
                    }
                    log.add("left")
                }
                try await group.waitForAll()
            }
            #expect(log.lines == ["claimed", "left"])
        }
    }

    @Test("what is on its way to the store has its place before what came after it")
    func onItsWayFirst() throws {
        try simulate { time, held async throws in
            let (lines, behind) = try await Self.placing(in: time, held, duringClaimOf: .seconds(1)) { await $0() }
            #expect(lines == ["capture", "refund"])
            behind.letGo()
        }
    }

    @Test("when the time is over, nothing gets a place before what is on its way still")
    func cutShort() throws {
        try simulate { time, held async throws in
            let (lines, behind) = try await Self.placing(in: time, held, duringClaimOf: .seconds(3)) { place in
                await withTaskGroup(of: Void.self) { group in
                    group.addTask { await place() }
                    group.addTask { try? await time.sleep(for: .seconds(1)) }
                    await group.next()
                    group.cancelAll()
                }
            }
            #expect(lines == ["capture"])
            // Its own task goes on with it.
            #expect(behind.withdraw())
        }
    }

    /// All is placed while the claim of a capture is on its way, with a refund of the same payment behind it.
    ///
    /// - Parameter run: does the placing.
    /// - Returns: in which order the store got to know them, and the refund.
    private static func placing(
        in time: VirtualTime,
        _ held: HeldCommands,
        duringClaimOf duration: Duration,
        _ run: @escaping @Sendable (@escaping @Sendable () async -> Void) async -> Void
    ) async throws -> (lines: [String], behind: HeldCommands.Hold) {
        let claimed = held.hold(try PaymentFixture.command(.capture, key: "c"))
        let behind = held.hold(try PaymentFixture.command(.refund, key: "r"))
        let log = Log()
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask {
                try await claimed.place { () async throws(StoreError) in
                    try? await time.sleep(for: duration)
                    log.add("capture")
                }
            }
            group.addTask {
                try await time.sleep(for: .milliseconds(500))
                await run {
                    _ = await held.placeAll { command in
                        log.add(command.kind.rawValue)
                        return true
                    }
                }
            }
            try await group.waitForAll()
        }
        return (log.lines, behind)
    }

    @Test("a claim waits until its place is stored")
    func claimAfterPlace() throws {
        try simulate { time, held async throws in
            let hold = held.hold(try PaymentFixture.command(.capture))
            let log = Log()
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask {
                    _ = await held.placeAll { _ in
                        try? await time.sleep(for: .seconds(1))
                        log.add("registered")
                        return true
                    }
                }
                group.addTask {
                    try await time.sleep(for: .milliseconds(500))
                    try await hold.place { () async throws(StoreError) in log.add("claimed") }
                }
                try await group.waitForAll()
            }
            #expect(log.lines == ["registered", "claimed"])
        }
    }

    @Test("what nobody needs to place is let go of")
    func withdrawn() throws {
        try simulate { _, held async throws in
            let hold = held.hold(try PaymentFixture.command(.capture))
            #expect(hold.withdraw())
            let areAllPlaced = await held.placeAll { _ in
                Issue.record("it is held no longer")
                return false
            }
            #expect(areAllPlaced)
        }
    }

    @Test("that one could not be placed is known, and the others are placed all the same")
    func unplaced() throws {
        try simulate { _, held async throws in
            let holds = try (0..<3).map { held.hold(try PaymentFixture.command(.capture, key: "k-\($0)")) }
            let log = Log()
            let areAllPlaced = await held.placeAll { command in
                log.add(command.idempotencyKey.description)
                return command.idempotencyKey.description != "k-1"
            }
            #expect(!areAllPlaced && log.lines == ["k-0", "k-1", "k-2"])
            for hold in holds { hold.letGo() }
        }
    }

    @Test("a later command does not overtake the ones that a process holds when it lets its queue go")
    func handOver() throws {
        for places in [true, false] {
            let first = Mutex<CommandConsumer?>(nil)
            try World.run(
                consumers: { world in
                    let consumers = [world.consumer(), world.consumer()]
                    first.withLock { $0 = consumers[0] }
                    return consumers
                },
                { world in
                    world.bank.delayNext(by: .seconds(3))
                    world.send(.authorize, key: "a", to: 0)
                    try await world.until { world.bank.requests.count == 1 }
                    world.send(.capture, key: "c", to: 0)
                    try await world.time.sleep(for: .milliseconds(100))
                    if places { #expect(await first.withLock { $0 }?.placeHeld() == true) }
                    // What placeHeld waits for and does not hold up: the authorize is at the bank.
                    world.send(.void, key: "v", to: 1)
                    try await world.until { !world.finalReplies("v").isEmpty && !world.finalReplies("c").isEmpty }
                    let outcomes = [world.finalReplies("c").last?.outcome, world.finalReplies("v").last?.outcome]
                    #expect(outcomes == (places ? ["succeeded", "rejected"] : ["rejected", "succeeded"]))
                    try await world.drained()
                    #expect(world.bank.ledger.map(\.operation) == [.authorize, places ? .capture : .void])
                }
            )
        }
    }
}
