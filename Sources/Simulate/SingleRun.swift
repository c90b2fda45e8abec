import ArgumentParser
import Core
import Program
import Simulation

/// One seed, told in full.
struct SingleRun {
    let seed: UInt64
    /// Whose timeline; `nil`: of the payment that broke.
    let payment: String?

    func run() throws {
        var options = SimulationOptions()
        options.isTracing = true
        let report = SimulationWorld.run(seed: seed, options: options)
        let broken = report.violations.lazy.compactMap(\.payment).first?.description
        if let shown = payment ?? broken {
            for line in report.timeline(of: shown == "all" ? nil : shown) {
                StandardStream.output.print("\(Figures.seconds(line.at))  \(line.text)")
            }
            StandardStream.output.print("")
        }
        let kinds = report.faults.kinds.map(\.rawValue).joined(separator: ", ")
        StandardStream.output.print(
            "seed \(seed), hash \(Figures.hex(report.hash)), faults: \(kinds.isEmpty ? "none" : kinds)"
        )
        Figures.print(report.tally)
        for violation in report.violations { StandardStream.output.print("BROKEN \(violation)") }
        guard report.violations.isEmpty else { throw ExitCode(1) }
        StandardStream.output.print("every promise kept")
    }
}
