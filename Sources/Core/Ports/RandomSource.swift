/// The random words of this process, injected so that the simulation can draw them from its seed.
package protocol RandomSource: Sendable {
    func next() -> UInt64
}

extension RandomSource {
    /// A fresh identifier, ordered by time.
    package func identifier(at now: Timestamp) -> UniqueID {
        UniqueID.version7(milliseconds: UInt64(max(now.microseconds, 0)) / 1_000, random: (next(), next()))
    }
}
