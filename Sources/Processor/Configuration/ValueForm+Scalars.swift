import ConfigurationText
import Logging

extension ValueForm where Value == Bool {
    static let boolean = ValueForm(allowed: "true or false") { text throws(ValueProblem) in
        switch text {
        case "true": return true
        case "false": return false
        default: throw ValueProblem("is not a boolean")
        }
    }
}

extension ValueForm where Value == Int {
    static func integer(_ range: ClosedRange<Int>) -> ValueForm {
        ValueForm(allowed: "an integer from \(range.lowerBound) to \(range.upperBound)") { text throws(ValueProblem) in
            guard !text.isEmpty, text.utf8.allSatisfy({ (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }) else {
                throw ValueProblem("is not an integer")
            }
            guard let value = Int(text), range.contains(value) else { throw ValueProblem("is out of range") }
            return value
        }
    }
}

extension ValueForm where Value == Duration {
    static func duration(_ range: ClosedRange<Duration>) -> ValueForm {
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
    static func word(orElse problem: String) -> ValueForm {
        ValueForm(
            allowed: "one of \(Value.allCases.map(\.rawValue).joined(separator: ", "))"
        ) { text throws(ValueProblem) in
            guard let value = Value(rawValue: text) else { throw ValueProblem(problem) }
            return value
        }
    }
}

extension ValueForm where Value == Logger.Level {
    static let logLevel = word(orElse: "is not a log level")
}
