/// The time of this process, injected so that the simulation can turn it.
package protocol TimeSource: Sendable {
    /// The wall clock. Never decides about leases or expiry: those go by the database's and the bank's clocks
    /// (docs/correctness.md#whose-clock).
    func now() -> Timestamp

    /// Grows steadily from an arbitrary start.
    func uptime() -> Duration

    func sleep(for duration: Duration) async throws(CancellationError)
}

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
