import Core
import TestSupport
import Testing

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
