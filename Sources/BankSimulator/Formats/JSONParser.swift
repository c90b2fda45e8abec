/// Reads one JSON value (RFC 8259) from bytes.
///
/// The bank reads a body as far as its first value goes and ignores what follows, so the parser reports where the value
/// ended and leaves the judgement to its caller.
struct JSONParser {
    /// The bytes are no JSON value, end too early, or nest deeper than the parser goes.
    struct Malformed: Error {}

    /// Arrays and objects within each other; more is refused, so that no body can exhaust the stack.
    static let maximumDepth = 128

    private let bytes: [UInt8]
    private var position = 0

    init(_ bytes: [UInt8]) {
        self.bytes = bytes
    }

    /// The first value; whatever follows it is ignored.
    static func firstValue(in bytes: [UInt8]) throws(Malformed) -> JSONValue {
        var parser = JSONParser(bytes)
        return try parser.value(depth: 0)
    }

    /// The only value: nothing but white space may follow it.
    static func onlyValue(in bytes: [UInt8]) throws(Malformed) -> JSONValue {
        var parser = JSONParser(bytes)
        let value = try parser.value(depth: 0)
        guard parser.nextByte() == nil else { throw Malformed() }
        return value
    }

    private mutating func value(depth: Int) throws(Malformed) -> JSONValue {
        guard depth < Self.maximumDepth, let byte = nextByte() else { throw Malformed() }
        switch byte {
        case UInt8(ascii: "{"): return .object(try object(depth: depth))
        case UInt8(ascii: "["): return .array(try array(depth: depth))
        case UInt8(ascii: "\""): return .string(try string())
        case UInt8(ascii: "t"): return try literal("true", .bool(true))
        case UInt8(ascii: "f"): return try literal("false", .bool(false))
        case UInt8(ascii: "n"): return try literal("null", .null)
        default: return .number(try number())
        }
    }

    private mutating func object(depth: Int) throws(Malformed) -> [String: JSONValue] {
        position += 1
        var members: [String: JSONValue] = [:]
        if nextByte() == UInt8(ascii: "}") {
            position += 1
            return members
        }
        while true {
            guard nextByte() == UInt8(ascii: "\"") else { throw Malformed() }
            let name = try string()
            guard nextByte() == UInt8(ascii: ":") else { throw Malformed() }
            position += 1
            members[name] = try value(depth: depth + 1)
            if try endsList(with: UInt8(ascii: "}")) { return members }
        }
    }

    private mutating func array(depth: Int) throws(Malformed) -> [JSONValue] {
        position += 1
        var elements: [JSONValue] = []
        if nextByte() == UInt8(ascii: "]") {
            position += 1
            return elements
        }
        while true {
            elements.append(try value(depth: depth + 1))
            if try endsList(with: UInt8(ascii: "]")) { return elements }
        }
    }

    /// Steps over a comma (false) or the closing bracket (true).
    private mutating func endsList(with closing: UInt8) throws(Malformed) -> Bool {
        let byte = nextByte()
        position += 1
        if byte == closing { return true }
        guard byte == UInt8(ascii: ",") else { throw Malformed() }
        return false
    }

    private mutating func literal(_ text: StaticString, _ value: JSONValue) throws(Malformed) -> JSONValue {
        let end = position + text.utf8CodeUnitCount
        guard end <= bytes.count else { throw Malformed() }
        for offset in 0..<text.utf8CodeUnitCount where bytes[position + offset] != text.utf8Start[offset] {
            throw Malformed()
        }
        position = end
        return value
    }

    /// Steps over white space; the byte there, not consumed, or nil at the end.
    private mutating func nextByte() -> UInt8? {
        while position < bytes.count {
            switch bytes[position] {
            case 0x20, 0x09, 0x0A, 0x0D: position += 1
            default: return bytes[position]
            }
        }
        return nil
    }
}

extension JSONParser {
    /// `-`, digits without a leading zero, fraction, exponent.
    private mutating func number() throws(Malformed) -> String {
        let start = position
        if peek() == UInt8(ascii: "-") { position += 1 }
        if peek() == UInt8(ascii: "0") {
            position += 1
        } else {
            try digits()
        }
        if peek() == UInt8(ascii: ".") {
            position += 1
            try digits()
        }
        if let byte = peek(), byte | 0x20 == UInt8(ascii: "e") {
            position += 1
            if let sign = peek(), sign == UInt8(ascii: "+") || sign == UInt8(ascii: "-") { position += 1 }
            try digits()
        }
        return String(decoding: bytes[start..<position], as: UTF8.self)
    }

    /// At least one digit.
    private mutating func digits() throws(Malformed) {
        let start = position
        while let byte = peek(), byte &- UInt8(ascii: "0") < 10 { position += 1 }
        guard position > start else { throw Malformed() }
    }

    /// A string from its opening quote on. Bytes that are not UTF-8 become U+FFFD, as the bank's own decoder does it.
    private mutating func string() throws(Malformed) -> String {
        position += 1
        let start = position
        while let byte = peek() {
            switch byte {
            case UInt8(ascii: "\""):
                position += 1
                return String(decoding: bytes[start..<position - 1], as: UTF8.self)
            case UInt8(ascii: "\\"):
                return try escapedString(from: start)
            case 0..<0x20:
                throw Malformed()
            default:
                position += 1
            }
        }
        throw Malformed()
    }

    /// The slow way, for a string with a backslash at the present position.
    private mutating func escapedString(from start: Int) throws(Malformed) -> String {
        var text = Array(bytes[start..<position])
        while let byte = peek() {
            position += 1
            switch byte {
            case UInt8(ascii: "\""): return String(decoding: text, as: UTF8.self)
            case UInt8(ascii: "\\"): try appendEscape(to: &text)
            case 0..<0x20: throw Malformed()
            default: text.append(byte)
            }
        }
        throw Malformed()
    }

    private mutating func appendEscape(to text: inout [UInt8]) throws(Malformed) {
        guard let byte = peek() else { throw Malformed() }
        position += 1
        switch byte {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): text.append(byte)
        case UInt8(ascii: "b"): text.append(0x08)
        case UInt8(ascii: "f"): text.append(0x0C)
        case UInt8(ascii: "n"): text.append(0x0A)
        case UInt8(ascii: "r"): text.append(0x0D)
        case UInt8(ascii: "t"): text.append(0x09)
        case UInt8(ascii: "u"): text.append(contentsOf: String(try escapedScalar()).utf8)
        default: throw Malformed()
        }
    }

    /// The scalar of `\uXXXX`, or of a surrogate pair of two; a lone surrogate is U+FFFD.
    private mutating func escapedScalar() throws(Malformed) -> Unicode.Scalar {
        let first = try hexadecimalUnit()
        let replacement: Unicode.Scalar = "\u{FFFD}"
        guard UTF16.isLeadSurrogate(first) else { return Unicode.Scalar(first) ?? replacement }
        let afterFirst = position
        guard peek() == UInt8(ascii: "\\"), position + 1 < bytes.count, bytes[position + 1] == UInt8(ascii: "u") else {
            return replacement
        }
        position += 2
        let second = try hexadecimalUnit()
        guard UTF16.isTrailSurrogate(second) else {
            position = afterFirst
            return replacement
        }
        let offset = UInt32(first & 0x3FF) << 10 | UInt32(second & 0x3FF)
        return Unicode.Scalar(0x10000 + offset) ?? replacement
    }

    private mutating func hexadecimalUnit() throws(Malformed) -> UInt16 {
        guard position + 4 <= bytes.count else { throw Malformed() }
        var unit: UInt16 = 0
        for byte in bytes[position..<position + 4] {
            guard let digit = Character(Unicode.Scalar(byte)).hexDigitValue else { throw Malformed() }
            unit = unit << 4 | UInt16(digit)
        }
        position += 4
        return unit
    }

    private func peek() -> UInt8? {
        position < bytes.count ? bytes[position] : nil
    }
}

/// A JSON value as it was sent. Numbers stay text: whether `5.0` is an amount is the reader's decision.
enum JSONValue: Equatable, Sendable {
    case null
    case bool(Bool)
    /// The token, unchanged.
    case number(String)
    case string(String)
    case array([JSONValue])
    /// Of a name that occurs twice, the last value.
    case object([String: JSONValue])

    /// The members of an object; nil for anything else.
    var members: [String: JSONValue]? {
        guard case .object(let members) = self else { return nil }
        return members
    }
}
