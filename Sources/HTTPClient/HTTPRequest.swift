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

extension HTTPRequest {
    /// Header fields only the client writes: what they say must agree with what it does.
    static let ownedByClient = [
        "Connection", "Content-Length", "Expect", "Keep-Alive", "Proxy-Connection", "TE", "Trailer",
        "Transfer-Encoding", "Upgrade",
    ]

    /// Refuses what would not arrive as it was meant, before anything is sent. Line breaks above all: libcurl would write
    /// them into the request, and a value that came from outside could add headers or a second request of its own.
    ///
    /// - Throws: `invalidURL`, `invalidHeader` or `invalidBody`, never sent.
    func validate() throws(HTTPError) {
        guard hasSchemeAndHost, url.utf8.allSatisfy({ (0x21...0x7E).contains($0) }) else {
            throw HTTPError(.invalidURL, outcomeUnknown: false)
        }
        guard headers.allSatisfy(Self.isSendable) else { throw HTTPError(.invalidHeader, outcomeUnknown: false) }
        guard method != .get || hasNoBody else { throw HTTPError(.invalidBody, outcomeUnknown: false) }
    }

    var hasNoBody: Bool { body?.isEmpty ?? true }

    /// libcurl would guess a missing scheme, and take the path for the host when the host is missing.
    private var hasSchemeAndHost: Bool {
        guard let end = url.firstIndex(of: ":") else { return false }
        let scheme = String(url[..<end])
        guard HTTPHeaders.matches(scheme, "http") || HTTPHeaders.matches(scheme, "https") else { return false }
        let rest = url[end...]
        guard rest.hasPrefix("://"), let host = rest.dropFirst(3).first else { return false }
        return !"/?#\\".contains(host)
    }

    private static func isSendable(_ header: HTTPHeader) -> Bool {
        !header.name.isEmpty && header.name.utf8.allSatisfy(isTokenByte) && isHeaderValue(header.value)
            && !ownedByClient.contains { HTTPHeaders.matches($0, header.name) }
    }

    /// No control characters but the tab (RFC 9110 §5.5).
    static func isHeaderValue(_ text: String) -> Bool {
        text.utf8.allSatisfy { $0 == 0x09 || ($0 >= 0x20 && $0 != 0x7F) }
    }

    /// RFC 9110 §5.6.2.
    private static func isTokenByte(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"):
            true
        default: "!#$%&'*+-.^_`|~".utf8.contains(byte)
        }
    }
}

/// The methods this client sends.
package enum HTTPMethod: String, Sendable, CaseIterable {
    case get = "GET"
    case post = "POST"
    case put = "PUT"
    case delete = "DELETE"

    /// Whether a request without a body says so with `Content-Length: 0` (RFC 9110 §8.6).
    var announcesEmptyBody: Bool { self == .post || self == .put }
}
