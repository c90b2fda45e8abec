import Core
import TestSupport
import Testing

extension RestartLane {
    /// FAILOVER_TEST_SCALE multiplies the number of commands (33: the ten thousand of issue 10).
    @Suite("A database that forgets its last commits", .timeLimit(.minutes(20)))
    struct FailoverTests {
        private static let scale = TestScale.failover

        @Test(
            "a failover to a standby that lags makes no second hold, and what is repeated is reported as before",
            arguments: [true, false]
        )
        func laggingStandby(isProcessorKilled: Bool) async throws {
            try await DatabasePair.run { pair in
                let settings = World.Settings.failover(pair.servers)
                try await World.run(settings) { world in
                    let processor = try await world.startProcessor()
                    let batch = AuthorizeBatch(count: 300 * Self.scale)
                    let (early, late) = batch.halves
                    let earlyLoad = Task { try await early.publish(to: world) }
                    try await answers(60 * Self.scale, to: early, in: world)
                    try await pair.fallBehind()
                    // Published only now: what of them is answered, the standby cannot know.
                    let load = Task {
                        try await earlyLoad.value
                        try await late.publish(to: world)
                    }
                    try await answers(60 * Self.scale, to: late, in: world)
                    try await pair.killPrimary()
                    if isProcessorKilled { try await processor.child.crash() }
                    let answered = batch.answered(in: world)
                    try await pair.promote()
                    let remembered = try await StoredReplies(world)
                    let forgotten = remembered.forgotten(among: answered)
                    try #require(!forgotten.isEmpty, "the standby did not lag")
                    if isProcessorKilled { _ = try world.spawnProcessor() }
                    try await load.value

                    try await world.expect(batch.commands, endAs: "succeeded")
                    // The sweep asks by key for what was completed on the lost side: within two of its periods, once
                    // the lease is over.
                    let areAllEnded = try await world.comesTrue { try await world.openOperations() == 0 }
                    let open = try await world.openOperations()
                    #expect(areAllEnded, "\(open) operations stay open")
                    try await RepeatCheck(world: world, remembered: remembered, forgotten: forgotten)
                        .run(batch.commands)
                    let holds = try await batch.wrongHolds(in: world)
                    try #require(holds.twice == 0, "commands with two holds, of \(forgotten.count) forgotten")
                    try #require(holds.never == 0, "commands without a hold")
                    try #require(areAllEnded)
                }
            }
        }

        @Test("a database that was restored from a copy makes no second effect, and counts what it had forgotten")
        func restoredCopy() async throws {
            try await PrivateServices.run { services in
                let settings = World.Settings.failover(services.servers)
                try await World.run(settings) { world in
                    let processor = try await world.startProcessor()
                    let count = 40 * Self.scale
                    let old = AuthorizeBatch(count: count)
                    let new = AuthorizeBatch(count: count, amountsFrom: 10_000 + count)
                    try await succeed(old.commands, in: world)
                    try await services.backUp()
                    let captures = old.commands.prefix(count / 2).map { TestCommand.capture($0.paymentID) }
                    try await succeed(new.commands + captures, in: world)
                    #expect(try await processor.terminate() == .status(0))
                    try await services.restore()
                    let remembered = try await StoredReplies(world)
                    let forgotten = remembered.forgotten(among: new.commands + captures)
                    try #require(forgotten.count == new.commands.count + captures.count)

                    try await world.startProcessor()
                    try await RepeatCheck(world: world, remembered: remembered, forgotten: forgotten)
                        .run(old.commands + new.commands + captures)
                    for batch in [old, new] {
                        let holds = try await batch.wrongHolds(in: world)
                        try #require(holds.twice == 0, "commands with two holds")
                    }
                    let captured = try await world.bank.ledger().filter { $0.operation == "capture" }
                    try #require(captured.count == captures.count)
                    try #require(try await world.openOperations() == 0)
                }
            }
        }

        /// Waits until so many of them are answered.
        private func answers(_ count: Int, to batch: AuthorizeBatch, in world: World) async throws {
            try await eventually("there was traffic", within: .seconds(180)) {
                batch.answered(in: world).count >= count
            }
        }

        private func succeed(_ commands: [TestCommand], in world: World) async throws {
            try await world.send(commands)
            try #require(try await world.tally(of: commands) == ["succeeded": commands.count])
        }
    }
}

extension RestartLane {
    /// FAILOVER_TEST_SCALE multiplies the number of commands.
    @Suite("A primary that goes", .timeLimit(.minutes(20)))
    struct NaturalLagTests {
        private static let scale = TestScale.failover

        enum Way: Sendable { case killed, killedWithSynchronousStandby, switchover }

        @Test(
            "and a standby promoted with the lag that there happens to be: nothing is lost, doubled, or left open",
            arguments: [Way.killed, .killedWithSynchronousStandby, .switchover]
        )
        func goes(_ way: Way) async throws {
            try await DatabasePair.run(isSynchronous: way == .killedWithSynchronousStandby) { pair in
                let settings = World.Settings.failover(pair.servers)
                try await World.run(settings) { world in
                    try await world.startProcessor()
                    let batch = AuthorizeBatch(count: 300 * Self.scale)
                    let load = Task { try await batch.publish(to: world) }
                    try await eventually("there was traffic", within: .seconds(180)) {
                        world.upstream.replyCount >= 100 * Self.scale
                    }
                    if way == .switchover { try await pair.stopPrimary() } else { try await pair.killPrimary() }
                    let answered = batch.answered(in: world)
                    try await pair.promote()
                    let remembered = try await StoredReplies(world)
                    let forgotten = remembered.forgotten(among: answered)
                    print("the standby knew nothing of \(forgotten.count) of \(answered.count) answered commands")
                    if way != .killed { #expect(forgotten.isEmpty) }
                    try await load.value
                    try await world.expect(batch.commands, endAs: "succeeded")
                    // Two periods of the sweep, once leases are over; more on a slow machine.
                    let areAllEnded = try await world.comesTrue { try await world.openOperations() == 0 }
                    let open = try await world.openOperations()
                    #expect(areAllEnded, "\(open) operations stay open")
                    try await RepeatCheck(world: world, remembered: remembered, forgotten: forgotten)
                        .run(batch.commands)
                    let holds = try await batch.wrongHolds(in: world)
                    #expect(holds.twice == 0 && holds.never == 0)
                }
            }
        }
    }
}

extension RestartLane {
    /// FAILOVER_TEST_SCALE multiplies the number of commands; with it the times are judged, too.
    @Suite("A primary that hangs", .timeLimit(.minutes(20)))
    struct HungPrimaryTests {
        @Test("is given up within seconds, readiness says so, and work goes on at the standby that was promoted")
        func frozen() async throws {
            try await DatabasePair.run(isSynchronous: true) { pair in
                let settings = World.Settings.failover(pair.servers)
                try await World.run(settings) { world in
                    let processor = try await world.startProcessor()
                    let batch = AuthorizeBatch(count: 300 * TestScale.failover)
                    let load = Task { try await batch.publish(to: world) }
                    try await eventually("there was traffic", within: .seconds(180)) { world.upstream.replyCount > 60 }
                    try await pair.freezePrimary()
                    let frozen = ContinuousClock.now
                    let answered = world.upstream.replyCount
                    async let lost: Void = processor.answersReady(503)
                    try await pair.promote()
                    try await lost
                    let unready = frozen.duration(to: .now)
                    // What was under way at the bank is answered from the standby: more than could be in flight.
                    try await eventually("work went on", within: .seconds(120), context: { processor.child.lastWords })
                    {
                        world.upstream.replyCount > answered + 10
                    }
                    let progress = frozen.duration(to: .now)
                    print("not ready after \(unready), progress after \(progress)")
                    try await processor.answersReady(200)
                    try await load.value
                    try await world.expect(batch.commands, endAs: "succeeded")
                    #expect(try await world.comesTrue { try await world.openOperations() == 0 })
                    let holds = try await batch.wrongHolds(in: world)
                    #expect(holds.twice == 0 && holds.never == 0)
                    if TestScale.failover > 1 {
                        #expect(unready < .seconds(5))
                        #expect(progress < .seconds(10))
                    }
                }
            }
        }
    }
}
