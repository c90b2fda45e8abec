/// The beginning of an HTTP/1.x status line, up to the first digit of the status.
enum AnswerBeginning {
    static let byteCount = 10

    /// Whether it is that of an answer after which no other one follows (1xx).
    static func isFinal(_ bytes: [UInt8]) -> Bool {
        bytes.count == byteCount && bytes.starts(with: "HTTP/1.".utf8) && bytes[8] == UInt8(ascii: " ")
            && (UInt8(ascii: "2")...UInt8(ascii: "5")).contains(bytes[9])
    }
}
