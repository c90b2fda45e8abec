import Core
import Synchronization

/// Random words that are the same for the same seed (SplitMix64).
package final class SeededRandom: RandomSource {
    private let state: Mutex<SplitMix64>

    /// Each purpose has words of its own, so that one more draw here does not change what happens there.
    package enum Purpose: UInt64, Sendable {
        case plan, traffic, identifiers, store, bank, broker, processes, publishers, operators, sweeps, questions
    }

    package init(seed: UInt64) {
        state = Mutex(SplitMix64(seed: seed))
    }

    package convenience init(seed: UInt64, for purpose: Purpose) {
        self.init(seed: seed &* 0x9e37_79b9_7f4a_7c15 ^ (purpose.rawValue + 1) &* 0xc2b2_ae3d_27d4_eb4f)
    }

    package func next() -> UInt64 { state.withLock { $0.next() } }

    /// Whether something of that probability happens.
    package func happens(_ probability: Double) -> Bool {
        guard probability > 0 else { return false }
        return Double(next() >> 11) * 0x1p-53 < probability
    }

    package func number(in range: ClosedRange<Int>) -> Int {
        range.lowerBound + Int(next() % UInt64(range.count))
    }

    /// To the microsecond.
    package func duration(in range: ClosedRange<Duration>) -> Duration {
        let width = (range.upperBound - range.lowerBound).microseconds
        return range.lowerBound + .microseconds(Int64(next() % UInt64(width + 1)))
    }

    /// - Precondition: there is something to choose from.
    package func one<Element>(of choices: [Element]) -> Element {
        choices[number(in: 0...choices.count - 1)]
    }

    /// One of the choices, each as often as its weight says.
    package func one<Element>(ofWeighted choices: [(weight: Int, choice: Element)]) -> Element {
        var rest = number(in: 0...choices.reduce(-1) { $0 + $1.weight })
        for (weight, choice) in choices {
            if rest < weight { return choice }
            rest -= weight
        }
        return choices[0].choice
    }
}

/// Steele, Lea and Flood's generator: one word of state, and every seed is a good one.
package struct SplitMix64: RandomNumberGenerator, Sendable {
    private var state: UInt64

    package init(seed: UInt64) {
        state = seed
    }

    package mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var word = state
        word = (word ^ (word >> 30)) &* 0xbf58_476d_1ce4_e5b9
        word = (word ^ (word >> 27)) &* 0x94d0_49bb_1331_11eb
        return word ^ (word >> 31)
    }
}
