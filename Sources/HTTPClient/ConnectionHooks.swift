/// Tells about the connections of a client to whoever keeps duplicates of their descriptors, so that the server sees no
/// hang-up when the process is killed. Called on the client's thread: be short, and never block.
///
/// With hooks, a connection is shut down before its descriptor is closed, so that the server sees the end at once though a
/// duplicate of the descriptor is open elsewhere.
package struct ConnectionHooks: Sendable {
    /// A connection is about to carry its first request. Over TLS its handshake is complete. The descriptor stays the client's
    /// own; the id is unique within the process.
    package let opened: @Sendable (_ descriptor: Int32, _ id: UInt64) -> Void

    /// The connection has been shut down.
    package let closing: @Sendable (_ id: UInt64) -> Void

    package init(
        opened: @escaping @Sendable (_ descriptor: Int32, _ id: UInt64) -> Void,
        closing: @escaping @Sendable (_ id: UInt64) -> Void
    ) {
        self.opened = opened
        self.closing = closing
    }
}
