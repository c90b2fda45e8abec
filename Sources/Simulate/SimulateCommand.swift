import ArgumentParser
import Program
import Simulation

@main
struct SimulateCommand: AsyncParsableCommand {
    private static let program = "simulate"

    static let configuration = CommandConfiguration(
        commandName: "simulate",
        abstract: "Runs the processor in a made-up world, one for each seed, and judges what comes of it.",
        discussion: """
            Every seed is a world of its own: several processors over a broker, a store and a bank in memory, in virtual time, with the \
            faults that the seed draws. The same seed is the same world, step by step. Exit codes: 0 all promises kept, \
            1 a promise broken, 64 usage, 74 standard output cannot be written.
            """,
        version: ProductVersion.line(of: program)
    )

    @Option(help: "Which seeds to run: FIRST..LAST.")
    var seeds = SeedRange(first: 1, last: 1_000)

    @Option(help: "Run this seed alone, and print the timeline of the payment that broke.")
    var seed: UInt64?

    @Option(help: "With --seed: print the timeline of this payment; 'all' for everything.")
    var payment: String?

    @Option(help: "How many seeds run at the same time.")
    var threads = 2

    @Flag(help: "Print the hash of each seed's trace: equal hashes are equal worlds.")
    var printHashes = false

    static func main() async { await runProgram(program) }

    func validate() throws {
        guard (1...256).contains(threads) else { throw ValidationError("--threads must be 1 to 256") }
    }

    func run() async throws {
        if let seed {
            try SingleRun(seed: seed, payment: payment).run()
        } else {
            try await ManyRuns(seeds: seeds, threads: threads, printsHashes: printHashes).run()
        }
    }
}

/// `1..10000`, or one seed.
struct SeedRange: ExpressibleByArgument, Sendable {
    let first: UInt64
    let last: UInt64

    init(first: UInt64, last: UInt64) {
        self.first = first
        self.last = last
    }

    init?(argument: String) {
        let ends = argument.split(separator: ".").map { UInt64($0) }
        guard let first = ends.first ?? nil, let last = ends.last ?? nil, ends.count <= 2, first <= last else {
            return nil
        }
        self.init(first: first, last: last)
    }

    var defaultValueDescription: String { "\(first)..\(last)" }

    var count: UInt64 { last - first + 1 }
}
