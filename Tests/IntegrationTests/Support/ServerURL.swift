import TestSupport

/// The address of a server, `scheme://user:password@host:port/path?query`, as `make up` writes it.
struct ServerURL {
    let text: String

    init(_ text: String) {
        self.text = text
    }

    /// The digits behind the last colon.
    var port: UInt16 { portRange.flatMap { UInt16(text[$0]) } ?? 0 }

    /// The same server by way of a proxy.
    func through(_ proxy: TCPProxy) -> String {
        guard let range = portRange else { return text }
        return "\(text[..<range.lowerBound])\(proxy.port)\(text[range.upperBound...])"
    }

    /// The same server by way of one proxy or another, each a host of the list.
    func through(_ first: TCPProxy, _ second: TCPProxy) -> String { hosts([first.port, second.port]) }

    /// The same address with these ports of this machine, each a host of the list.
    func hosts(_ ports: [UInt16]) -> String {
        guard let range = portRange else { return text }
        let list = ports.map { "\($0)" }.joined(separator: ",127.0.0.1:")
        return "\(text[..<range.lowerBound])\(list)\(text[range.upperBound...])"
    }

    /// The same server with another path.
    func database(_ name: String) -> String {
        let query = text.firstIndex(of: "?") ?? text.endIndex
        let slash = text[..<query].lastIndex(of: "/") ?? query
        return "\(text[..<slash])/\(name)\(text[query...])"
    }

    private var portRange: Range<String.Index>? {
        guard let colon = text.lastIndex(of: ":") else { return nil }
        let start = text.index(after: colon)
        return start..<(text[start...].firstIndex { !$0.isNumber } ?? text.endIndex)
    }
}
