/// A JSON value (RFC 8259). Numbers stay the tokens they were, so that what is stored and replayed is what was received.
package enum JSONValue: Hashable, Sendable {
    case null
    case bool(Bool)
    /// The token, as it stood.
    case number(String)
    case string(String)
    case array([JSONValue])
    case object([String: JSONValue])

    package static func integer(_ value: some BinaryInteger) -> JSONValue { .number(String(value)) }

    /// A string, or null.
    package static func optional(_ text: String?) -> JSONValue { text.map(JSONValue.string) ?? .null }

    package subscript(name: String) -> JSONValue? {
        guard case .object(let members) = self else { return nil }
        return members[name]
    }

    package var string: String? {
        guard case .string(let text) = self else { return nil }
        return text
    }

    /// The value of an integer token: digits only, perhaps after a minus. `5.0` and `5e0` are none, nor what overflows.
    package var integer: Int64? {
        guard case .number(let token) = self else { return nil }
        return Int64(token)
    }

    package var isNull: Bool { self == .null }
}

extension JSONValue {
    /// The canonical form of a reply (docs/contract.md#replies): compact UTF-8, names sorted at every level, `/`
    /// unescaped.
    package var encoded: [UInt8] {
        var output: [UInt8] = []
        output.reserveCapacity(256)
        encode(into: &output)
        return output
    }

    func encode(into output: inout [UInt8]) {
        switch self {
        case .null: output.append(contentsOf: "null".utf8)
        case .bool(let value): output.append(contentsOf: (value ? "true" : "false").utf8)
        case .number(let token): output.append(contentsOf: token.utf8)
        case .string(let text): output.append(json: text)
        case .array(let elements):
            output.append(UInt8(ascii: "["))
            for (index, element) in elements.enumerated() {
                if index > 0 { output.append(UInt8(ascii: ",")) }
                element.encode(into: &output)
            }
            output.append(UInt8(ascii: "]"))
        case .object(let members):
            output.append(UInt8(ascii: "{"))
            for (index, member) in members.sorted(by: { $0.key.utf8.lexicographicallyPrecedes($1.key.utf8) })
                .enumerated()
            {
                if index > 0 { output.append(UInt8(ascii: ",")) }
                output.append(json: member.key)
                output.append(UInt8(ascii: ":"))
                member.value.encode(into: &output)
            }
            output.append(UInt8(ascii: "}"))
        }
    }
}

/// Writes the canonical form of a JSON value (docs/contract.md#replies) without building the value first: compact UTF-8, `/`
/// unescaped. The names of an object must be written in order; `JSONWriterTests` compare what is written with `JSONValue.encoded`.
package struct JSONWriter {
    package private(set) var bytes: [UInt8] = []
    /// Whether the next name follows a member of its object.
    private var needsComma = false

    /// - Parameter capacity: as many bytes as are expected.
    package init(capacity: Int = 256) {
        bytes.reserveCapacity(capacity)
    }

    package mutating func beginObject() {
        bytes.append(UInt8(ascii: "{"))
        needsComma = false
    }

    package mutating func endObject() {
        bytes.append(UInt8(ascii: "}"))
        needsComma = true
    }

    /// The name of the member whose value is written next: ASCII without anything to escape.
    package mutating func name(_ name: StaticString) {
        if needsComma { bytes.append(UInt8(ascii: ",")) }
        bytes.append(UInt8(ascii: "\""))
        bytes.append(contentsOf: UnsafeBufferPointer(start: name.utf8Start, count: name.utf8CodeUnitCount))
        bytes.append(UInt8(ascii: "\""))
        bytes.append(UInt8(ascii: ":"))
        needsComma = true
    }

    // MARK: Members

    package mutating func member(_ name: StaticString, _ text: String) {
        self.name(name)
        bytes.append(json: text)
    }

    /// A string of digits.
    package mutating func member(_ name: StaticString, digits: [UInt8]) {
        self.name(name)
        bytes.append(UInt8(ascii: "\""))
        bytes.append(contentsOf: digits)
        bytes.append(UInt8(ascii: "\""))
    }

    /// A string, or null.
    package mutating func member(_ name: StaticString, optional text: String?) {
        self.name(name)
        if let text { bytes.append(json: text) } else { appendNull() }
    }

    package mutating func member(_ name: StaticString, _ number: Int64) {
        self.name(name)
        bytes.append(contentsOf: String(number).utf8)
    }

    package mutating func member(_ name: StaticString, _ flag: Bool) {
        self.name(name)
        bytes.append(contentsOf: flag ? Self.trueToken : Self.falseToken)
    }

    package mutating func member(_ name: StaticString, _ id: UniqueID) {
        self.name(name)
        bytes.append(UInt8(ascii: "\""))
        id.appendText(to: &bytes)
        bytes.append(UInt8(ascii: "\""))
    }

    /// An instant, or null.
    package mutating func member(_ name: StaticString, optional time: Timestamp?) {
        self.name(name)
        guard let time else { return appendNull() }
        bytes.append(json: time.description)
    }

    package mutating func member(_ name: StaticString, _ value: JSONValue) {
        self.name(name)
        value.encode(into: &bytes)
    }

    package mutating func memberNull(_ name: StaticString) {
        self.name(name)
        appendNull()
    }

    private mutating func appendNull() { bytes.append(contentsOf: Self.nullToken) }

    private static let trueToken = Array("true".utf8)
    private static let falseToken = Array("false".utf8)
    private static let nullToken = Array("null".utf8)
}

extension [UInt8] {
    /// A JSON string.
    package mutating func append(json text: String) {
        var text = text
        text.withUTF8 { utf8 in
            append(UInt8(ascii: "\""))
            if utf8.contains(where: Self.isEscaped) {
                for byte in utf8 { append(escaping: byte) }
            } else {
                append(contentsOf: utf8)
            }
            append(UInt8(ascii: "\""))
        }
    }

    private static func isEscaped(_ byte: UInt8) -> Bool {
        byte < 0x20 || byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\\")
    }

    private mutating func append(escaping byte: UInt8) {
        switch byte {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"):
            append(UInt8(ascii: "\\"))
            append(byte)
        case 0x08: append(contentsOf: "\\b".utf8)
        case 0x0c: append(contentsOf: "\\f".utf8)
        case 0x0a: append(contentsOf: "\\n".utf8)
        case 0x0d: append(contentsOf: "\\r".utf8)
        case 0x09: append(contentsOf: "\\t".utf8)
        case 0..<0x20:
            append(contentsOf: "\\u00".utf8)
            append(Hex.digit(of: byte >> 4))
            append(Hex.digit(of: byte & 0x0f))
        default: append(byte)
        }
    }
}
