/// When the circuit breaker before the bank opens, and for how long (docs/correctness.md#bank-outage).
package struct BreakerPolicy: Hashable, Sendable {
    /// The last so many calls count, as far as they are no older than `memory`.
    package var window = 20
    /// Fewer than this prove nothing.
    package var leastCalls = 10
    /// Opens when at least this share of them failed, 0–1.
    package var failureShare = 0.5
    package var memory: Duration = .seconds(60)
    /// How long it stays open before one command may try; doubled with each try in vain, up to `pauseLimit`.
    package var pause: Duration = .seconds(2)
    package var pauseLimit: Duration = .seconds(30)
    /// How long a delivery waits for the bank before it is deferred: seconds, never minutes
    /// (docs/correctness.md#long-waits).
    package var patience: Duration = .seconds(10)

    package init() {}

    /// - Parameters:
    ///   - failures: tries in vain so far, 0 when it has just opened.
    ///   - random: a fresh random word: up to a quarter more, so that many processors do not try together.
    func pause(afterFailures failures: Int, random: UInt64) -> Duration {
        let pause = min(pause * Double(1 << min(failures, 16)), pauseLimit)
        return pause + .microseconds(Int64(random % UInt64(max((pause / 4).microseconds, 1))))
    }
}
