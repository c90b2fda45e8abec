/// How the text of a setting is read.
struct ValueForm<Value: Sendable>: Sendable {
    /// What is allowed, in words: `a duration such as 250ms, 15s, 2m or 1h, from 1s to 24h`.
    let allowed: String
    let parse: @Sendable (String) throws(ValueProblem) -> Value
    /// Makes a valid text fit to be shown.
    let redact: @Sendable (String) -> String
    /// Whether its text holds a secret, and may come from a file.
    let isSecret: Bool

    init(
        allowed: String,
        redact: (@Sendable (String) -> String)? = nil,
        parse: @escaping @Sendable (String) throws(ValueProblem) -> Value
    ) {
        self.allowed = allowed
        self.redact = redact ?? { $0 }
        isSecret = redact != nil
        self.parse = parse
    }
}

/// What is wrong with a value, in words that never quote it.
struct ValueProblem: Error, Hashable, CustomStringConvertible {
    let description: String

    init(_ description: String) {
        self.description = description
    }
}
