import ConfigurationText

/// How the text of a setting is read.
package struct ValueForm<Value: Sendable>: Sendable {
    /// What is allowed, in words: `a duration such as 250ms, 15s, 2m or 1h, from 1s to 24h`.
    package let allowed: String
    package let parse: @Sendable (String) throws(ValueProblem) -> Value
    /// Makes a valid text fit to be shown.
    package let redact: @Sendable (String) -> String
    /// Whether its text holds a secret, and may come from a file.
    package let isSecret: Bool

    package init(
        allowed: String,
        redact: (@Sendable (String) -> String)? = nil,
        parse: @escaping @Sendable (String) throws(ValueProblem) -> Value
    ) {
        self.allowed = allowed
        self.redact = redact ?? { $0 }
        isSecret = redact != nil
        self.parse = parse
    }

    private init<Other>(_ other: ValueForm<Other>, _ transform: @escaping @Sendable (Other) -> Value) {
        (allowed, redact, isSecret) = (other.allowed, other.redact, other.isSecret)
        parse = { text throws(ValueProblem) in transform(try other.parse(text)) }
    }

    /// The same texts, read as something else.
    package func map<Other>(_ transform: @escaping @Sendable (Value) -> Other) -> ValueForm<Other> {
        ValueForm<Other>(self, transform)
    }
}

/// What is wrong with a value, in words that never quote it.
package struct ValueProblem: Error, Hashable, CustomStringConvertible {
    package let description: String

    package init(_ description: String) {
        self.description = description
    }
}

extension ValueForm where Value == Bool {
    package static let boolean = ValueForm(allowed: "true or false") { text throws(ValueProblem) in
        switch text {
        case "true": return true
        case "false": return false
        default: throw ValueProblem("is not a boolean")
        }
    }
}

extension ValueForm where Value == String {
    /// Whatever it is: it is checked by those who use it.
    package static let text = ValueForm(allowed: "any text") { text throws(ValueProblem) in text }
}

extension ValueForm where Value: FixedWidthInteger {
    package static func integer(_ range: ClosedRange<Value>) -> ValueForm {
        ValueForm(allowed: "an integer from \(range.lowerBound) to \(range.upperBound)") { text throws(ValueProblem) in
            guard !text.isEmpty, text.utf8.allSatisfy({ (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }) else {
                throw ValueProblem("is not an integer")
            }
            guard let value = Value(text), range.contains(value) else { throw ValueProblem("is out of range") }
            return value
        }
    }
}

extension ValueForm where Value == Duration {
    package static func duration(_ range: ClosedRange<Duration>) -> ValueForm {
        let bounds = "from \(DurationText.text(of: range.lowerBound)) to \(DurationText.text(of: range.upperBound))"
        return ValueForm(allowed: "a duration such as 250ms, 15s, 2m or 1h, \(bounds)") { text throws(ValueProblem) in
            guard let value = DurationText.duration(of: text) else { throw ValueProblem("is not a duration") }
            guard range.contains(value) else { throw ValueProblem("is out of range") }
            return value
        }
    }
}

extension ValueForm where Value: CaseIterable & RawRepresentable<String> {
    /// One of a few words.
    ///
    /// - Parameter problem: what another word is, such as "is not a log level".
    package static func word(orElse problem: String) -> ValueForm {
        ValueForm(
            allowed: "one of \(Value.allCases.map(\.rawValue).joined(separator: ", "))"
        ) { text throws(ValueProblem) in
            guard let value = Value(rawValue: text) else { throw ValueProblem(problem) }
            return value
        }
    }
}
