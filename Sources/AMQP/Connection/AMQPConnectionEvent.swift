/// What happens to a connection without being asked for.
package enum AMQPConnectionEvent: Sendable, Equatable {
    /// The broker takes no messages for now (an alarm: memory or disk). The reason is the broker's.
    case blocked(reason: String)
    case unblocked
    /// The connection is over; always the last event. The code is `closed` when this side has closed it.
    case closed(AMQPError)
}
