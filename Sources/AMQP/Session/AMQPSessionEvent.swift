/// What an observer of a session hears.
package enum AMQPSessionEvent: Sendable, Equatable {
    case connected
    /// An attempt failed, or the connection ended. Another attempt follows unless the session is stopping.
    case disconnected(AMQPError)
    /// The broker takes no messages for now; the reason is the broker's.
    case blocked(reason: String)
    case unblocked
}
