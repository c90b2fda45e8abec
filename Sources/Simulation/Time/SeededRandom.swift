import Core
import Synchronization

/// Dice that fall the same way for the same seed (SplitMix64).
package final class SeededRandom: RandomSource {
    private let state: Mutex<SplitMix64>

    package init(seed: UInt64) {
        state = Mutex(SplitMix64(seed: seed))
    }

    package func next() -> UInt64 { state.withLock { $0.next() } }
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
