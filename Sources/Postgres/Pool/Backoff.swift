/// Waits between attempts to connect: doubling, capped, and spread over half their length, so that the connections of
/// many processes do not return in step.
struct Backoff {
    private let cap: Duration
    private var next: Duration

    init(first: Duration = .milliseconds(100), cap: Duration = .seconds(5)) {
        self.cap = cap
        next = first
    }

    /// The length of the next wait; `random` is uniform in 0..<1.
    mutating func step(random: Double = .random(in: 0..<1)) -> Duration {
        let full = min(next, cap)
        next = min(next * 2, cap)
        return full / 2 + full / 2 * random
    }
}
