import ArgumentParser
import Core
import Postgres
import Program

struct SweepStatus: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "status",
        abstract: "Shows the last runs of the sweeps, newest first."
    )

    @Option(help: "How many at most, 1 to 1000.")
    var limit = 20

    @Flag(help: "Print one line of JSON.")
    var json = false

    @OptionGroup(title: "Configuration")
    var options: ConfigurationOptions

    func validate() throws {
        guard (1...1_000).contains(limit) else { throw ValidationError("--limit must be from 1 to 1000") }
    }

    func run() async throws {
        let configuration = try ProcessorConfiguration(options: options)
        let pools = DatabasePools(configuration.database) { _ in }
        // Ends with the process, as the command does.
        Task { await pools.run() }
        let store = PostgresPaymentStore(pools, fingerprinter: configuration.fingerprinter)
        StandardStream.output.print(try await text(from: store))
    }

    func text(from store: any SweepStore) async throws -> String {
        let runs = try await store.runs(limit: limit)
        guard json else { return SweepText.table(of: runs) }
        return String(decoding: JSONValue.object(["runs": .array(runs.map(\.json))]).encoded, as: UTF8.self)
    }
}

extension SweepRun {
    fileprivate var json: JSONValue {
        .object([
            "examined": .integer(report.examined), "finished_at": .optional(finishedAt?.description),
            "job": .string(job.rawValue), "needs_attention": .integer(report.needsAttention),
            "resolved": .integer(report.resolved), "slot": .optional(slot?.description),
            "started_at": .string(startedAt.description),
        ])
    }
}
