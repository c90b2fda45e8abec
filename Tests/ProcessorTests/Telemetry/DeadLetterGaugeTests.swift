import Core
import Simulation
import Testing

@testable import Processor

@Suite("The count of open dead letters", .timeLimit(.minutes(1)))
struct DeadLetterGaugeTests {
    @Test("is brought up to date when somebody looks, and stays what it was while the database is away")
    func refreshes() async throws {
        let scene = DeadLetterScene()
        let registry = PrometheusRegistry()
        let gauge = DeadLetterGauge(queries: scene.store, metrics: ProcessorMetrics(registry: registry))
        func shows(_ count: Int) -> Bool { registry.text.contains("\npayments_dead_letters_open \(count)\n") }
        #expect(shows(0))
        for number in 1...3 { try await scene.keep(number) }
        await gauge.refresh()
        #expect(shows(3))
        _ = try await scene.store.discard(DeadLetterScene.id(1), by: "op", reason: "r")
        scene.store.setDown(true)
        await gauge.refresh()
        #expect(shows(3))
        scene.store.setDown(false)
        await gauge.refresh()
        #expect(shows(2))
    }
}
