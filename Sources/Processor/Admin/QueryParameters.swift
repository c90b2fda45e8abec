import Core
import HummingbirdCore

/// The parameters of a request, all of them known: one that is misspelt must not show more than was meant.
///
/// Written as forms write them: `+` is a space, `%2B` a plus.
struct QueryParameters {
    private let values: [String: String]

    /// - Throws: `AdminError` with 400, for one that is unknown, there twice or not UTF-8.
    init(_ uri: URI, knowing names: [String]) throws {
        var values: [String: String] = [:]
        for pair in (uri.query ?? "").split(separator: "&") {
            let parts = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            guard let name = Self.decoded(parts[0]), names.contains(name) else {
                let allowed = names.isEmpty ? "there is none here" : "known are \(names.joined(separator: ", "))"
                throw AdminError.invalid(InvalidField("query", "has an unknown parameter; \(allowed)"))
            }
            guard let value = Self.decoded(parts.count == 2 ? parts[1] : "") else {
                throw AdminError.invalid(InvalidField(name, "must be percent-encoded UTF-8"))
            }
            guard values.updateValue(value, forKey: name) == nil else {
                throw AdminError.invalid(InvalidField(name, "is given twice"))
            }
        }
        self.values = values
    }

    subscript(name: String) -> String? { values[name] }

    /// - Returns: `nil` where it is no percent-encoded UTF-8.
    static func decoded(_ text: Substring) -> String? {
        var bytes: [UInt8] = []
        var rest = text.utf8[...]
        while let byte = rest.popFirst() {
            switch byte {
            case UInt8(ascii: "+"): bytes.append(UInt8(ascii: " "))
            case UInt8(ascii: "%"):
                guard let high = rest.popFirst().flatMap(Self.digit), let low = rest.popFirst().flatMap(Self.digit)
                else { return nil }
                bytes.append(high << 4 | low)
            default: bytes.append(byte)
            }
        }
        return String(validating: bytes, as: UTF8.self)
    }

    private static func digit(_ byte: UInt8) -> UInt8? {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): byte - UInt8(ascii: "0")
        case UInt8(ascii: "a")...UInt8(ascii: "f"): byte - UInt8(ascii: "a") + 10
        case UInt8(ascii: "A")...UInt8(ascii: "F"): byte - UInt8(ascii: "A") + 10
        default: nil
        }
    }
}
