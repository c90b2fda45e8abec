import Core

/// How a line of the log is written.
enum LogFormat: String, Sendable, CaseIterable {
    case logfmt, json
}

extension ValueForm where Value == LogFormat {
    static let logFormat = word(orElse: "is neither logfmt nor json")
}

/// One line of JSON in the making: an object of strings.
struct JSONLine {
    private var bytes: [UInt8] = [UInt8(ascii: "{")]

    init() {
        bytes.reserveCapacity(512)
    }

    mutating func add(_ key: String, _ value: String) {
        if bytes.count > 1 { bytes.append(UInt8(ascii: ",")) }
        bytes.append(json: key)
        bytes.append(UInt8(ascii: ":"))
        bytes.append(json: value)
    }

    consuming func finished() -> [UInt8] {
        bytes += [UInt8(ascii: "}"), UInt8(ascii: "\n")]
        return bytes
    }
}
