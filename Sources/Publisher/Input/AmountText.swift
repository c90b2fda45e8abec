import Core

/// An amount as it was typed. Whether it is one, the rules of the command decide.
enum AmountText {
    /// A number where it reads as one, such as `5000` or `50.00`; else a string.
    static func json(_ text: String) -> JSONValue {
        guard case .number(let token)? = try? JSONParser.parse(Array(text.utf8)) else { return .string(text) }
        return .number(token)
    }
}
