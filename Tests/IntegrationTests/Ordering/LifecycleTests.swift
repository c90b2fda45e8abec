import Core
import TestSupport
import Testing

extension RestartLane {
    /// With ORDERING_TEST_SCALE of 2 and more: so many times a hundred payments, 20 s between their steps, and the usual lease.
    @Suite("Lifecycles of payments", .timeLimit(.minutes(20)))
    struct LifecycleTests {
        private static let scale = TestScale.ordering
        private static let isFull = scale > 1

        @Test("every payment ends as its client sent it, whatever processors die between its steps")
        func underKills() async throws {
            let settings = World.Settings(
                bank: ["MIN_LATENCY_MS": "500", "MAX_LATENCY_MS": "2000"],
                processor: Self.isFull ? [:] : World.shortLease
            )
            try await World.run(settings) { world in
                var processors = [try await world.startProcessor(), try await world.startProcessor()]
                let payments = (0..<(Self.isFull ? 100 * Self.scale : 48)).map(Lifecycle.number)
                let distance = Duration.seconds(Self.isFull ? 20 : 3)
                let stream = Task { try await send(payments, to: world, apart: distance) }
                for _ in 0..<(Self.isFull ? 12 * Self.scale : 6) {
                    // What puts the kills at moments that nobody has chosen, among the steps.
                    try await Task.sleep(for: .milliseconds(.random(in: 1_500...3_500)))
                    // The one that has subscribed first has all queues.
                    try await processors.removeFirst().child.crash()
                    processors.append(try world.spawnProcessor())
                }
                try await stream.value
                let commands = payments.flatMap { $0.steps.map(\.command) }
                _ = try await world.upstream.finalReplies(to: commands, within: .seconds(400))
                let deviations = payments.compactMap { $0.deviation(in: world) }
                #expect(deviations == [])
            }
        }

        private func send(_ payments: [Lifecycle], to world: World, apart distance: Duration) async throws {
            try await withThrowingTaskGroup(of: Void.self) { group in
                for payment in payments {
                    group.addTask { try await payment.send(to: world, apart: distance) }
                    try await Task.sleep(for: .milliseconds(300))
                }
                try await group.waitForAll()
            }
        }
    }
}
