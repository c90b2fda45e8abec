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
