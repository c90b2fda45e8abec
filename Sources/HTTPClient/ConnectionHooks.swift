/// Tells about the connections of a client to whoever keeps duplicates of their descriptors, so that the server sees no
/// hang-up when the process is killed. Called on the client's thread: be short, and never block.
///
/// With hooks, a connection is shut down before its descriptor is closed, so that the server sees the end at once though a
/// duplicate of the descriptor is open elsewhere.
package struct ConnectionHooks: Sendable {
    /// A connection is about to carry its first request. Over TLS its handshake is complete. The descriptor stays the client's
    /// own; the id is unique within the process.
    package let opened: @Sendable (_ descriptor: Int32, _ id: UInt64) -> Void

    /// A request with a tag is about to be written to the connection.
    package let requesting: @Sendable (_ id: UInt64, _ tag: [UInt8]) -> Void

    /// That request has its answer, or is given up on.
    package let answered: @Sendable (_ id: UInt64) -> Void

    /// The connection has been shut down.
    package let closing: @Sendable (_ id: UInt64) -> Void

    package init(
        opened: @escaping @Sendable (_ descriptor: Int32, _ id: UInt64) -> Void,
        requesting: @escaping @Sendable (_ id: UInt64, _ tag: [UInt8]) -> Void = { _, _ in },
        answered: @escaping @Sendable (_ id: UInt64) -> Void = { _ in },
        closing: @escaping @Sendable (_ id: UInt64) -> Void
    ) {
        self.opened = opened
        self.requesting = requesting
        self.answered = answered
        self.closing = closing
    }
}
