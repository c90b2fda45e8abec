/// One HTTP/1.1 request.
package struct HTTPRequest: Sendable {
    package var method: HTTPMethod

    /// Absolute, `http://` or `https://`, already percent-encoded: visible ASCII only.
    package var url: String

    /// Sent as they are. Fields that frame the message or steer the connection belong to the client and are refused:
    /// see `HTTPRequest.ownedByClient`.
    package var headers: [HTTPHeader]

    /// `nil` and empty mean the same; a POST or PUT then announces `Content-Length: 0`. A GET has no body.
    package var body: [UInt8]?

    /// How long the caller waits, from the call of `send` to the last byte of the answer, waiting for a free connection
    /// included.
    package var timeout: Duration

    /// How long the exchange itself may go on, from the call of `send`. Where it is longer than `timeout`, an exchange that
    /// its caller gives up on is not cut: it goes on, without the caller, until its answer is whole, it fails, or this time
    /// is over. `nil`, or anything not longer than `timeout`: it ends with its caller.
    package var limit: Duration?

    /// What the request is to the hooks of the connection (`ConnectionHooks.requesting`).
    package var tag: [UInt8]?

    /// Whether no buffer of the exchange may be kept for the next one. The connection is.
    package var isConfidential: Bool

    package init(
        method: HTTPMethod,
        url: String,
        headers: [HTTPHeader] = [],
        body: [UInt8]? = nil,
        timeout: Duration,
        limit: Duration? = nil,
        tag: [UInt8]? = nil,
        isConfidential: Bool = false
    ) {
        self.method = method
        self.url = url
        self.headers = headers
        self.body = body
        self.timeout = timeout
        self.limit = limit
        self.tag = tag
        self.isConfidential = isConfidential
    }
}
