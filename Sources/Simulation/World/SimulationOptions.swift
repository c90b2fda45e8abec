/// How a world differs from what its seed alone makes of it. The defaults change nothing.
package struct SimulationOptions: Sendable {
    /// Keeps the lines of the trace, for a reader.
    package var isTracing = false
    /// Called once for each world. What it gives puts something before the ports of each process: how the mutants of the tests
    /// work.
    package var wrap: @Sendable (SimulationWorld) -> Wrapping = { _ in { $0 } }

    package typealias Wrapping = @Sendable (ProcessPorts) -> ProcessPorts
    package var storeChecksFencingToken = true
    /// Besides those that the seed has.
    package var faults: [FaultPlan.Kind] = []

    package init() {}
}
