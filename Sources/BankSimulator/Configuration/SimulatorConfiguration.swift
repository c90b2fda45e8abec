/// How the simulator behaves; the defaults are the bank's own figures.
struct SimulatorConfiguration: Equatable, Sendable {
    var host = "127.0.0.1"
    /// 0 is any free port.
    var port = 8787
    /// Of an injected 500, from 0 to 1.
    var failureRate = 0.05
    /// Milliseconds, uniform.
    var latency: ClosedRange<Int64> = 100...2_000
    /// Seconds from an authorization to its expiry.
    var authorizationLifetime: Int64 = 168 * 60 * 60
    /// Cents on every card but the one for insufficient funds; nil for the bank's own figures.
    var cardBalance: Int64?
    /// Milliseconds from executing a command to storing its idempotency key, uniform; the answer leaves after that.
    var keyStoreDelay: ClosedRange<Int64> = 1...5
}
