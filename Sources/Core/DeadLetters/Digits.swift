/// Takes the digits out of what may hold a card number or a CVV anywhere.
enum Digits {
    /// Fewer digits than this are no CVV.
    private static let harmless = 3

    /// Every digit starred out, of any script, where there are at least `least` of them.
    static func masked(_ text: String, from least: Int = harmless) -> String {
        guard text.unicodeScalars.count(where: isDigit) >= least else { return text }
        return String(String.UnicodeScalarView(text.unicodeScalars.map { isDigit($0) ? "*" : $0 }))
    }

    /// The same for every name, text and number in a JSON value. Digits count together: `["1","2","3"]` may be a CVV too.
    static func masked(_ value: JSONValue, from least: Int = harmless) -> JSONValue {
        count(value) >= least ? stripped(value) : value
    }

    private static func count(_ value: JSONValue) -> Int {
        switch value {
        case .null, .bool: 0
        case .number(let text), .string(let text): text.unicodeScalars.count(where: isDigit)
        case .array(let elements): elements.reduce(0) { $0 + count($1) }
        case .object(let members):
            members.reduce(0) { $0 + $1.key.unicodeScalars.count(where: isDigit) + count($1.value) }
        }
    }

    private static func stripped(_ value: JSONValue) -> JSONValue {
        switch value {
        case .null, .bool: value
        case .number(let token): .string(masked(token, from: 1))
        case .string(let text): .string(masked(text, from: 1))
        case .array(let elements): .array(elements.map(stripped))
        case .object(let members):
            .object(members.reduce(into: [:]) { $0[masked($1.key, from: 1)] = stripped($1.value) })
        }
    }

    private static func isDigit(_ scalar: Unicode.Scalar) -> Bool {
        scalar.isASCII ? ("0"..."9").contains(scalar) : scalar.properties.numericType != nil
    }
}
