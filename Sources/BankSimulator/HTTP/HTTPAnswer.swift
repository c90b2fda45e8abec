import NIOCore
import NIOHTTP1

/// An answer before it is put on the wire.
struct HTTPAnswer: Equatable, Sendable {
    let status: Int
    var contentType = ContentType.json
    let body: String
    /// Marked `X-Idempotent-Replayed: true`.
    var isReplay = false
    /// In addition to the usual header fields, or instead of those of the same name.
    var headers: [String: String] = [:]
    /// How it is written, where that is not as usual.
    var style: AnswerStyle?

    /// The media types the simulator sends.
    enum ContentType: String, Sendable {
        case json = "application/json"
        case text = "text/plain; charset=utf-8"
        case html = "text/html"
    }

    /// `{"error","message"}`, the shape of the bank's errors and of the control endpoints'.
    static func error(_ status: Int, _ code: String, _ message: String) -> HTTPAnswer {
        let body = JSONWriter.object {
            $0.member("error", code)
            $0.member("message", message)
        }
        return HTTPAnswer(status: status, body: body)
    }

    /// The bank's 400 for a request it cannot read.
    static func malformed(_ text: String) -> HTTPAnswer {
        HTTPAnswer(status: 400, contentType: .text, body: text + "\n")
    }

    /// A control endpoint's 400.
    static func invalid(_ message: String) -> HTTPAnswer {
        .error(400, "invalid_request", message)
    }

    static let healthy = HTTPAnswer(status: 200, body: #"{"status":"healthy"}"#)

    static let internalError = HTTPAnswer(.refused(.internalError), precision: .nanoseconds)

    /// What ``FaultKind/garbage`` answers.
    static let garbage = HTTPAnswer(status: 200, contentType: .html, body: "<html><body>It works!</body></html>\n")
}

extension HTTPAnswer {
    /// What ``FaultKind/status`` answers.
    init(_ answer: StatusAnswer) {
        self.init(status: answer.status, body: answer.effectiveBody, headers: answer.headers)
    }
}

extension HTTPAnswer {
    /// Status line and header fields.
    ///
    /// - Parameters:
    ///   - date: the value of `Date`.
    ///   - length: of the body as it is sent, in bytes.
    ///   - isLast: the connection is closed afterwards.
    func head(date: String, length: Int, isLast: Bool) -> HTTPResponseHead {
        var fields = HTTPHeaders()
        fields.reserveCapacity(4)
        fields.add(name: "Content-Type", value: contentType.rawValue)
        fields.add(name: "Date", value: date)
        if isReplay { fields.add(name: "X-Idempotent-Replayed", value: "true") }
        if style == .gzip { fields.add(name: "Content-Encoding", value: "gzip") }
        for (name, value) in headers.sorted(by: { $0.key < $1.key }) { fields.replaceOrAdd(name: name, value: value) }
        // In HTTP/1.0 a body without a length ends with its connection, and nothing needs to say so.
        if style != .http10 {
            fields.add(name: "Content-Length", value: String(length))
            if isLast { fields.add(name: "Connection", value: "close") }
        }
        return HTTPResponseHead(
            version: style == .http10 ? .http1_0 : .http1_1,
            status: HTTPResponseStatus(statusCode: status),
            headers: fields
        )
    }

    /// The body as it is sent.
    func bytes(_ allocator: ByteBufferAllocator) -> ByteBuffer {
        switch style {
        case .gzip: allocator.buffer(bytes: Gzip.stored(Array(body.utf8)))
        case .byteOrderMark: allocator.buffer(string: "\u{FEFF}" + body)
        default: allocator.buffer(string: body)
        }
    }
}

/// Bytes as a gzip member (RFC 1952), stored instead of compressed: legal, and read by every client.
enum Gzip {
    static func stored(_ bytes: [UInt8]) -> [UInt8] {
        // Deflate, no flags, no time, no level, system unknown.
        var result: [UInt8] = [0x1F, 0x8B, 8, 0, 0, 0, 0, 0, 0, 0xFF]
        var rest = bytes[...]
        repeat {
            let block = rest.prefix(Int(UInt16.max))
            rest = rest.dropFirst(block.count)
            let length = UInt16(block.count)
            result.append(rest.isEmpty ? 1 : 0)
            result.append(littleEndian: length)
            result.append(littleEndian: ~length)
            result.append(contentsOf: block)
        } while !rest.isEmpty
        result.append(littleEndian: checksum(bytes))
        result.append(littleEndian: UInt32(truncatingIfNeeded: bytes.count))
        return result
    }

    /// CRC-32 as gzip, zlib and Ethernet have it.
    static func checksum(_ bytes: [UInt8]) -> UInt32 {
        var remainder = UInt32.max
        for byte in bytes {
            remainder ^= UInt32(byte)
            for _ in 0..<8 { remainder = remainder >> 1 ^ (remainder & 1 == 1 ? 0xEDB8_8320 : 0) }
        }
        return ~remainder
    }
}

extension [UInt8] {
    fileprivate mutating func append(littleEndian value: some FixedWidthInteger) {
        for shift in stride(from: 0, to: value.bitWidth, by: 8) { append(UInt8(truncatingIfNeeded: value >> shift)) }
    }
}

/// What the server has to do about a request.
enum Reaction: Equatable, Sendable {
    /// Cut the connection, without a word.
    case cut
    /// Send the answer; its key, if it has one, is stored already.
    case answer(HTTPAnswer)
}
