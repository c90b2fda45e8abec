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
