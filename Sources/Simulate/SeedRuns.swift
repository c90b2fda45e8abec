import ArgumentParser
import Core
import Glibc
import Program
import Simulation
import Synchronization

/// A range of seeds, several at a time: each world has one thread for itself, so they do not meet.
struct ManyRuns {
    let seeds: SeedRange
    let threads: Int
    let printsHashes: Bool

    private struct State {
        var next: UInt64
        var done: UInt64 = 0
        var tally = Tally()
        var broken: [SeedReport] = []
        var hashes: [UInt64: UInt64] = [:]
        var lastShown: ContinuousClock.Instant
    }

    func run() async throws {
        let started = ContinuousClock.now
        let state = SharedState(State(next: seeds.first, lastShown: started))
        await withDiscardingTaskGroup { group in
            for _ in 0..<threads {
                group.addTask {
                    while let seed = state.take(until: seeds.last) {
                        state.finish(SimulationWorld.run(seed: seed), of: seeds.count, since: started, printsHashes)
                    }
                }
            }
        }
        let result = state.value
        if printsHashes {
            for (seed, hash) in result.hashes.sorted(by: { $0.key < $1.key }) {
                StandardStream.output.print("\(seed) \(Figures.hex(hash))")
            }
            return
        }
        Figures.print(result.tally)
        StandardStream.output.print("took \(Figures.seconds(ContinuousClock.now - started)) s")
        for report in result.broken.sorted(by: { $0.seed < $1.seed }) {
            for violation in report.violations.prefix(3) {
                StandardStream.output.print("BROKEN seed \(report.seed): \(violation)")
            }
        }
        guard let first = result.broken.map(\.seed).min() else {
            return StandardStream.output.print("every promise kept")
        }
        StandardStream.output.print("\(result.broken.count) seeds broke a promise; simulate --seed \(first) tells how")
        throw ExitCode(1)
    }

    private final class SharedState: Sendable {
        private let state: Mutex<State>

        init(_ initial: State) {
            state = Mutex(initial)
        }

        var value: State { state.withLock { $0 } }

        func take(until last: UInt64) -> UInt64? {
            state.withLock { state in
                guard state.next <= last else { return nil }
                defer { state.next += 1 }
                return state.next
            }
        }

        func finish(
            _ report: SeedReport,
            of count: UInt64,
            since started: ContinuousClock.Instant,
            _ keepsHash: Bool
        ) {
            let line: String? = state.withLock { state in
                state.done += 1
                state.tally += report.tally
                if !report.violations.isEmpty { state.broken.append(report) }
                if keepsHash { state.hashes[report.seed] = report.hash }
                let now = ContinuousClock.now
                guard now - state.lastShown > .seconds(2) else { return nil }
                state.lastShown = now
                let rate = Double(state.done) / ((now - started) / .seconds(1))
                return "\(state.done) of \(count) seeds, \(Int(rate)) a second, \(state.broken.count) broken"
            }
            if let line { Figures.report(line) }
        }
    }
}

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

/// Numbers for a reader.
enum Figures {
    static func print(_ tally: Tally) {
        let hours = tally.virtualTime / .seconds(3_600)
        let lines =
            Tally.counters.map { (number: grouped(tally[keyPath: $0.path]), name: $0.name) } + [
                (number: grouped(tally.steps), name: "steps"),
                (number: grouped(Int(hours)), name: "hours of virtual time"),
            ]
        for line in lines {
            StandardStream.output.print(
                String(repeating: " ", count: max(0, 15 - line.number.count)) + line.number + "  " + line.name
            )
        }
    }

    /// With three decimals, right-aligned.
    static func seconds(_ duration: Duration) -> String {
        let milliseconds = Int64(duration / .milliseconds(1))
        let fraction = String(1_000 + milliseconds % 1_000).dropFirst()
        let text = "\(milliseconds / 1_000).\(fraction)"
        return String(repeating: " ", count: max(0, 10 - text.count)) + text
    }

    static func hex(_ word: UInt64) -> String {
        let digits = String(word, radix: 16)
        return String(repeating: "0", count: 16 - digits.count) + digits
    }

    /// On stderr, for whoever waits.
    static func report(_ line: String) {
        StandardStream.error.print(line)
    }

    private static func grouped(_ number: Int) -> String {
        var groups: [Substring] = []
        var digits = String(number)[...]
        while digits.count > 3 {
            groups.insert(digits.suffix(3), at: 0)
            digits = digits.dropLast(3)
        }
        return ([digits] + groups).joined(separator: ",")
    }
}
