import ArgumentParser
import Core

struct Sweeps: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "sweeps",
        abstract: "Runs the scheduled work at once, or shows what its last runs found.",
        subcommands: [RunSweep.self, SweepStatus.self]
    )
}

extension SweepJob: ExpressibleByArgument {}

extension SweepReport {
    /// What `processor sweeps run --json` prints (docs/contract.md#command-line).
    func json(of job: SweepJob, isDryRun: Bool) -> JSONValue {
        .object([
            "dry_run": .bool(isDryRun), "examined": .integer(examined), "job": .string(job.rawValue),
            "needs_attention": .integer(needsAttention), "resolved": .integer(resolved), "waiting": .integer(waiting),
        ])
    }
}
