/// How long to wait between attempts to connect: doubling from `initial` to `maximum`, each time with a random part of up to
/// half taken off, so that processes cut off together do not come back together. An attempt costs a broker that is not there nothing,
/// so the pauses stay short: whoever waits for the broker goes on soon after it is back.
package struct AMQPBackoff: Sendable, Equatable {
    package var initial: Duration
    package var maximum: Duration

    package init(initial: Duration = .milliseconds(250), maximum: Duration = .seconds(1)) {
        self.initial = initial
        self.maximum = maximum
    }

    /// - Parameters:
    ///   - attempt: 0 for the first wait.
    ///   - jitter: from 0 to 1, what of the half is taken off.
    /// - Returns: the pause before the next attempt.
    func delay(attempt: Int, jitter: Double) -> Duration {
        // Beyond that many doublings every sensible maximum is reached.
        let doubled = initial * (1 << min(max(attempt, 0), 20))
        return min(doubled, maximum) * (1 - jitter / 2)
    }
}
