import ArgumentParser
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
