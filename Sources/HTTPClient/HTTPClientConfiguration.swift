/// How an `HTTPClient` connects and how much it takes.
package struct HTTPClientConfiguration: Sendable {
    /// For name, TCP and TLS together, within the request's own timeout.
    package var connectTimeout: Duration

    /// The most requests in flight, to all servers together, each on a connection of its own. Further ones wait in the
    /// order they came; their timeout runs meanwhile.
    package var maxConnections: Int

    /// How long an idle connection is kept for the next request, in whole seconds, at least one. Better below what the
    /// server grants: a server that closes just as a request is on its way makes an outcome unknown.
    package var idleTimeout: Duration

    /// The largest body of an answer, in bytes, compressed or not. Its header fields have a limit of their own, 64 KiB.
    package var maxResponseBytes: Int

    /// A PEM file of the certificate authorities to trust instead of the system's.
    package var caFile: String?

    /// PEM files of a client certificate with its chain, and of its private key.
    package var certFile: String?
    package var keyFile: String?

    package var userAgent: String

    /// Told about each connection that carries a request, and its end.
    package var connectionHooks: ConnectionHooks?

    package init(
        connectTimeout: Duration = .seconds(5),
        maxConnections: Int = 64,
        idleTimeout: Duration = .seconds(15),
        maxResponseBytes: Int = 1 << 20,
        caFile: String? = nil,
        certFile: String? = nil,
        keyFile: String? = nil,
        userAgent: String = "HTTPClient",
        connectionHooks: ConnectionHooks? = nil
    ) {
        self.connectTimeout = connectTimeout
        self.maxConnections = maxConnections
        self.idleTimeout = idleTimeout
        self.maxResponseBytes = maxResponseBytes
        self.caFile = caFile
        self.certFile = certFile
        self.keyFile = keyFile
        self.userAgent = userAgent
        self.connectionHooks = connectionHooks
    }

    func validate() throws(HTTPError) {
        guard maxConnections >= 1, maxResponseBytes >= 1, connectTimeout > .zero, idleTimeout > .zero,
            HTTPRequest.isHeaderValue(userAgent)
        else { throw HTTPError(.invalidConfiguration, outcomeUnknown: false) }
    }
}

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
