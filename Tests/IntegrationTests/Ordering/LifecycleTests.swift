import Core
import TestSupport
import Testing

extension RestartLane {
    /// ORDERING_TEST_SCALE multiplies the number of payments and the time between their steps (5 and more: those of issue 10).
    @Suite("Lifecycles of payments", .timeLimit(.minutes(20)))
    struct LifecycleTests {
        private static let scale = TestScale.ordering

        @Test("every payment ends as its client sent it, whatever processors die between its steps (trap D12)")
        func underKills() async throws {
            let settings = World.Settings(bank: ["MIN_LATENCY_MS": "100", "MAX_LATENCY_MS": "2000"])
            try await World.run(settings) { world in
                var processors = [try await world.startProcessor(), try await world.startProcessor()]
                let payments = (0..<20 * Self.scale).map(Lifecycle.number)
                let distance = Duration.seconds(min(6 * Self.scale, 20))
                let stream = Task { try await send(payments, to: world, apart: distance) }
                for _ in 0..<6 * Self.scale {
                    // What puts the kills at moments that nobody has chosen, among the steps.
                    try await Task.sleep(for: .milliseconds(.random(in: 1_500...4_500)))
                    let victim = Int.random(in: 0..<processors.count)
                    try await processors[victim].child.crash()
                    processors[victim] = try world.spawnProcessor()
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
                    try await Task.sleep(for: .milliseconds(500))
                }
                try await group.waitForAll()
            }
        }
    }
}
