/// What a connection brought.
struct Arrival: Sendable {
    /// nil for a request whose body is too large.
    let request: SimulatorRequest?
    /// The client wants to send more requests after this one.
    let isKeptAlive: Bool
}
