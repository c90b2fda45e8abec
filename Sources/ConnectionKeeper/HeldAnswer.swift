/// What a server has answered on a held connection since the owner's death.
package struct HeldAnswer: Sendable, Equatable {
    /// As the owner had put it on the board for the request (`RequestBoard`).
    package let tag: [UInt8]
    /// Of the answer in plain HTTP/1.x, a final one.
    package let status: Int
    /// Whole, as the server announced its length.
    package let body: [UInt8]
}

/// The bytes of an answer, as far as they have come.
struct AnswerBytes {
    enum State: Equatable {
        /// More must come, or nothing of it can be read: over TLS it may be an answer or anything else.
        case open
        /// A final answer has begun whose end is not announced, or that is too large to be of use.
        case unreadable
        case whole(status: Int, body: [UInt8])
    }

    /// Of an answer that is kept; the bank's have some hundred bytes.
    static let limit = 16_384

    private var bytes: [UInt8] = []

    mutating func append(_ more: some Sequence<UInt8>) {
        bytes += more.prefix(Self.limit + 1 - bytes.count)
    }

    var state: State {
        guard isFinal else { return .open }
        guard bytes.count <= Self.limit else { return .unreadable }
        guard let head = bytes.firstRange(of: Array("\r\n\r\n".utf8)) else { return .open }
        let lines = String(decoding: bytes[..<head.lowerBound], as: UTF8.self).split(separator: "\r\n")
        guard let status = lines.first?.split(separator: " ").dropFirst().first.flatMap({ Int($0) }),
            let length = Self.length(lines.dropFirst())
        else { return .unreadable }
        let body = bytes[head.upperBound...]
        return body.count < length ? .open : .whole(status: status, body: Array(body.prefix(length)))
    }

    /// Whether it begins as an answer after which no other one follows (1xx).
    private var isFinal: Bool {
        bytes.count >= 10 && bytes.starts(with: "HTTP/1.".utf8) && bytes[8] == UInt8(ascii: " ")
            && (UInt8(ascii: "2")...UInt8(ascii: "5")).contains(bytes[9])
    }

    private static func length(_ fields: some Sequence<Substring>) -> Int? {
        for field in fields {
            let parts = field.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
            guard parts.count == 2, parts[0].lowercased() == "content-length" else { continue }
            return Int(parts[1].filter { $0 != " " && $0 != "\t" }).flatMap { $0 < 0 ? nil : $0 }
        }
        return nil
    }
}
