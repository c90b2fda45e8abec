/// Writes compact JSON, members in the order in which they are added.
struct JSONWriter {
    private(set) var text = ""
    private var needsComma = false

    /// One object as a text of its own.
    static func object(_ body: (inout JSONWriter) -> Void) -> String {
        var writer = JSONWriter()
        writer.text.reserveCapacity(256)
        writer.object(body)
        return writer.text
    }

    mutating func member(_ name: String, _ value: String?) {
        start(name)
        if let value {
            text.append("\"")
            text.appendEscaped(value)
            text.append("\"")
        } else {
            text.append("null")
        }
    }

    mutating func member(_ name: String, _ value: Int64?) {
        start(name)
        text.append(value.map { String($0) } ?? "null")
    }

    mutating func member(_ name: String, _ value: Bool) {
        start(name)
        text.append(value ? "true" : "false")
    }

    /// The value must be finite: JSON has no other.
    mutating func member(_ name: String, _ value: Double) {
        start(name)
        text.append("\(value)")
    }

    /// A number as it is to be written.
    mutating func member(_ name: String, token: String) {
        start(name)
        text.append(token)
    }

    /// An object whose members are strings, sorted by name. The names must need no escape.
    mutating func member(_ name: String, _ strings: [String: String]) {
        start(name)
        needsComma = false
        object { writer in
            for (name, value) in strings.sorted(by: { $0.key < $1.key }) { writer.member(name, value) }
        }
    }

    /// An array of objects.
    mutating func member<Element>(
        _ name: String,
        _ elements: some Sequence<Element>,
        _ body: (inout JSONWriter, Element) -> Void
    ) {
        start(name)
        text.append("[")
        needsComma = false
        for element in elements {
            object { body(&$0, element) }
        }
        text.append("]")
        needsComma = true
    }

    private mutating func object(_ body: (inout JSONWriter) -> Void) {
        if needsComma { text.append(",") }
        text.append("{")
        needsComma = false
        body(&self)
        text.append("}")
        needsComma = true
    }

    private mutating func start(_ name: String) {
        text.append(needsComma ? ",\"" : "\"")
        text.append(name)
        text.append("\":")
        needsComma = true
    }
}

extension String {
    /// Appends what stands between the quotes of a JSON string.
    fileprivate mutating func appendEscaped(_ value: String) {
        let needsEscape = value.utf8.contains { $0 < 0x20 || $0 == UInt8(ascii: "\"") || $0 == UInt8(ascii: "\\") }
        guard needsEscape else { return append(value) }
        for scalar in value.unicodeScalars {
            switch scalar {
            case "\"": append("\\\"")
            case "\\": append("\\\\")
            case "\u{00}"..<"\u{10}": append("\\u000\(String(scalar.value, radix: 16))")
            case "\u{10}"..<"\u{20}": append("\\u00\(String(scalar.value, radix: 16))")
            default: unicodeScalars.append(scalar)
            }
        }
    }
}
