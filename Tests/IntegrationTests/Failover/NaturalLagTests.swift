import Core
import TestSupport
import Testing

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
