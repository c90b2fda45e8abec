/// The time of this process, injected so that the simulation can turn it.
package protocol TimeSource: Sendable {
    /// The wall clock. Never decides about leases or expiry: those go by the database's and the bank's clocks
    /// (docs/correctness.md#whose-clock).
    func now() -> Timestamp

    /// Grows steadily from an arbitrary start.
    func uptime() -> Duration

    func sleep(for duration: Duration) async throws(CancellationError)
}
