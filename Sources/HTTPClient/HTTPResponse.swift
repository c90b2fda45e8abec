/// A whole answer: status line, header fields and body arrived, and the body is as long as the server said. Where the
/// server did not say, it ended with its connection.
package struct HTTPResponse: Sendable, Equatable {
    /// 200–999; informational answers (1xx) are skipped.
    package let status: Int
    package let headers: HTTPHeaders

    /// Decoded where the server compressed it; `headers` then still tell of the coding and its length.
    package let body: [UInt8]

    package init(status: Int, headers: HTTPHeaders = [], body: [UInt8] = []) {
        self.status = status
        self.headers = headers
        self.body = body
    }
}

/// The header fields of an answer, in the order they came.
package struct HTTPHeaders: Sendable, Equatable, RandomAccessCollection, ExpressibleByArrayLiteral {
    private var fields: [HTTPHeader] = []

    package init(_ fields: [HTTPHeader] = []) {
        self.fields = fields
    }

    package init(arrayLiteral elements: HTTPHeader...) {
        fields = elements
    }

    package var startIndex: Int { fields.startIndex }
    package var endIndex: Int { fields.endIndex }
    package subscript(position: Int) -> HTTPHeader { fields[position] }

    /// The value of the first field of that name, in whatever case the server wrote it.
    package subscript(name: String) -> String? {
        fields.first { Self.matches($0.name, name) }?.value
    }

    mutating func append(_ field: HTTPHeader) {
        fields.append(field)
    }

    /// ASCII case does not count in field names (RFC 9110 §5.1).
    static func matches(_ one: String, _ other: String) -> Bool {
        one.utf8.count == other.utf8.count && one.utf8.elementsEqual(other.utf8) { lowercased($0) == lowercased($1) }
    }

    private static func lowercased(_ byte: UInt8) -> UInt8 {
        (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains(byte) ? byte | 0x20 : byte
    }
}

/// One header field.
package struct HTTPHeader: Sendable, Equatable {
    package let name: String
    package let value: String

    package init(_ name: String, _ value: String) {
        self.name = name
        self.value = value
    }
}
