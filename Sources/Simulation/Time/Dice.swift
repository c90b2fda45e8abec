import Core

/// Dice for one purpose: each purpose has its own, so that one more throw here does not change what happens there.
package struct Dice: RandomSource {
    private let source: SeededRandom

    package enum Purpose: UInt64, Sendable {
        case plan, traffic, identifiers, store, bank, broker, processes, publishers, operators, sweeps, questions
    }

    package init(seed: UInt64, for purpose: Purpose) {
        source = SeededRandom(seed: seed &* 0x9e37_79b9_7f4a_7c15 ^ (purpose.rawValue + 1) &* 0xc2b2_ae3d_27d4_eb4f)
    }

    package func next() -> UInt64 { source.next() }

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
        var ticket = number(in: 0...choices.reduce(-1) { $0 + $1.weight })
        for (weight, choice) in choices {
            if ticket < weight { return choice }
            ticket -= weight
        }
        return choices[0].choice
    }
}
