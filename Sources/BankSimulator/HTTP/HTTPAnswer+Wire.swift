import NIOCore
import NIOHTTP1

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
