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
