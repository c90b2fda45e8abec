import Core

/// How a line of the log is written.
enum LogFormat: String, Sendable, CaseIterable {
    case logfmt, json
}

extension ValueForm where Value == LogFormat {
    static let logFormat = ValueForm(
        allowed: "one of \(LogFormat.allCases.map(\.rawValue).joined(separator: ", "))"
    ) { text throws(ValueProblem) in
        guard let value = LogFormat(rawValue: text) else { throw ValueProblem("is neither logfmt nor json") }
        return value
    }
}

/// One line of JSON in the making: an object of strings.
struct JSONLine {
    private var bytes: [UInt8] = [UInt8(ascii: "{")]

    init() {
        bytes.reserveCapacity(512)
    }

    mutating func add(_ key: String, _ value: String) {
        if bytes.count > 1 { bytes.append(UInt8(ascii: ",")) }
        bytes += JSONValue.string(key).encoded
        bytes.append(UInt8(ascii: ":"))
        bytes += JSONValue.string(value).encoded
    }

    consuming func finished() -> [UInt8] {
        bytes += [UInt8(ascii: "}"), UInt8(ascii: "\n")]
        return bytes
    }
}
