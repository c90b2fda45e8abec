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
