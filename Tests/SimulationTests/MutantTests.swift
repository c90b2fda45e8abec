import Simulation
import Testing

/// Who judges the worlds is judged here: a processor that breaks a rule must be caught.
@Suite("Every wrong processor is caught", .timeLimit(.minutes(40)))
struct MutantTests {
    @Test("within a thousand seeds", arguments: Mutant.all)
    func caught(mutant: Mutant) {
        // Those from 1 on are what `make simulate` runs first.
        let first = (401...1_400).first { seed in
            !SimulationWorld.run(seed: UInt64(seed), options: mutant.options).violations.isEmpty
        }
        #expect(first != nil, "no seed shows it")
    }
}
