/// Puts an answer together from the header lines and body bytes libcurl delivers, and decides whether it is whole.
///
/// libcurl is generous: it calls an answer complete that was cut in the middle of its header. A cut is an unknown outcome
/// here, not an answer. An answer that gives no length and ends with its connection is whole when that ended in good
/// order (RFC 9112 §6.3). A server that fails half-way looks the same (over TLS too, where libcurl does not insist on a
/// closure alert), so its reader must be able to tell by the body. So must the reader of a body that came compressed:
/// libcurl 7.88 does not notice when a gzip stream stops too soon.
struct AnswerAssembly {
    private enum Stage { case beforeHeader, inHeader, inBody }

    private static let maxHeaderBytes = 64 << 10

    private let maxBodyBytes: Int
    private var stage = Stage.beforeHeader
    private var status = 0
    private var headers = HTTPHeaders()
    private var headerBytes = 0
    private var body: [UInt8] = []
    private var contentLength: Int?
    private var isChunked = false

    /// libcurl has decoded what came (gzip, deflate): the announced length is not that of `body`.
    private var isEncoded = false

    /// Why the rest of the answer is not wanted.
    private(set) var refusal: HTTPError.Code?

    init(maxBodyBytes: Int) {
        self.maxBodyBytes = maxBodyBytes
    }

    /// Takes one line of the header, line end included. False: stop the transfer, `refusal` says why.
    mutating func takeHeaderLine(_ line: UnsafeRawBufferPointer) -> Bool {
        headerBytes += line.count
        guard headerBytes <= Self.maxHeaderBytes else { return refuse(.responseTooLarge) }
        let text = line.trimmingLineEnd()
        switch stage {
        case .beforeHeader: return beginHeader(text)
        case .inHeader: return text.isEmpty ? endHeader() : takeField(text)
        case .inBody: return true  // A trailer after the last chunk: nobody asked for it.
        }
    }

    /// Takes bytes of the body. False: stop the transfer, `refusal` says why.
    mutating func takeBody(_ bytes: UnsafeRawBufferPointer) -> Bool {
        guard stage == .inBody else { return refuse(.malformedResponse) }
        guard body.count + bytes.count <= maxBodyBytes else { return refuse(.responseTooLarge) }
        body.append(contentsOf: bytes)
        return true
    }

    /// What there is after libcurl has called the transfer complete, having compared the announced length with what came.
    func whole() -> Result<HTTPResponse, HTTPError> {
        guard stage == .inBody else { return .failure(HTTPError(.connectionLost, outcomeUnknown: true)) }
        let hasNoBody = status == 204 || status == 304
        guard hasNoBody || isChunked || isEncoded || contentLength ?? body.count == body.count else {
            return .failure(HTTPError(.malformedResponse, outcomeUnknown: true))
        }
        return .success(HTTPResponse(status: status, headers: headers, body: body))
    }

    private mutating func beginHeader(_ line: Slice<UnsafeRawBufferPointer>) -> Bool {
        let words = line.split(separator: UInt8(ascii: " "), maxSplits: 2, omittingEmptySubsequences: false)
        guard words.count >= 2, words[0].elementsEqual("HTTP/1.1".utf8) || words[0].elementsEqual("HTTP/1.0".utf8),
            words[1].count == 3, let status = Int(decimal: words[1]), status >= 100, status != 101
        else { return refuse(.malformedResponse) }
        self.status = status
        stage = .inHeader
        return true
    }

    private mutating func endHeader() -> Bool {
        // After an informational answer the real one follows, with a header of its own.
        guard status >= 200 else {
            self = AnswerAssembly(maxBodyBytes: maxBodyBytes, headerBytes: headerBytes)
            return true
        }
        stage = .inBody
        if let contentLength, !isChunked {
            guard contentLength <= maxBodyBytes else { return refuse(.responseTooLarge) }
            body.reserveCapacity(contentLength)
        }
        return true
    }

    private mutating func takeField(_ line: Slice<UnsafeRawBufferPointer>) -> Bool {
        guard let colon = line.firstIndex(of: UInt8(ascii: ":")), colon > line.startIndex,
            line[..<colon].allSatisfy({ $0 > 0x20 })
        else { return refuse(.malformedResponse) }
        let value = line[line.index(after: colon)...].trimmingBlanks()
        let field = HTTPHeader(String(decoding: line[..<colon], as: UTF8.self), String(decoding: value, as: UTF8.self))
        if HTTPHeaders.matches(field.name, "Content-Length") {
            guard let length = Int(decimal: value), contentLength ?? length == length else {
                return refuse(.malformedResponse)
            }
            contentLength = length
        } else if HTTPHeaders.matches(field.name, "Transfer-Encoding") {
            guard HTTPHeaders.matches(field.value, "chunked") else { return refuse(.malformedResponse) }
            isChunked = true
        } else if HTTPHeaders.matches(field.name, "Content-Encoding") {
            isEncoded = true
        }
        headers.append(field)
        return true
    }

    private mutating func refuse(_ code: HTTPError.Code) -> Bool {
        refusal = code
        return false
    }

    private init(maxBodyBytes: Int, headerBytes: Int) {
        self.init(maxBodyBytes: maxBodyBytes)
        self.headerBytes = headerBytes
    }
}

extension UnsafeRawBufferPointer {
    fileprivate func trimmingLineEnd() -> Slice<UnsafeRawBufferPointer> {
        var line = self[...]
        if line.last == UInt8(ascii: "\n") { line.removeLast() }
        if line.last == UInt8(ascii: "\r") { line.removeLast() }
        return line
    }
}

extension Slice<UnsafeRawBufferPointer> {
    fileprivate func trimmingBlanks() -> Self {
        var text = drop { $0 == 0x20 || $0 == 0x09 }
        while text.last == 0x20 || text.last == 0x09 { text.removeLast() }
        return text
    }
}

extension Int {
    /// ASCII digits only, at least one; `nil` beyond what an `Int` holds.
    fileprivate init?(decimal text: Slice<UnsafeRawBufferPointer>) {
        let digits = UInt8(ascii: "0")...UInt8(ascii: "9")
        guard !text.isEmpty, text.allSatisfy({ digits.contains($0) }) else { return nil }
        self.init(String(decoding: text, as: UTF8.self))
    }
}
