package import Core

/// A clock that is wrong by a fixed amount: another machine's (docs/correctness.md#whose-clock).
package struct SkewedTime: TimeSource {
    private let base: any TimeSource
    private let skew: Duration

    /// - Parameters:
    ///   - base: the right time.
    ///   - skew: how far this clock is ahead of it; negative: behind.
    package init(_ base: any TimeSource, ahead skew: Duration) {
        self.base = base
        self.skew = skew
    }

    package func now() -> Timestamp { base.now().advanced(by: skew) }

    package func uptime() -> Duration { base.uptime() }

    package func sleep(for duration: Duration) async throws(CancellationError) {
        try await base.sleep(for: duration)
    }
}
