import ConfigurationText

/// A value that prints as `***`, however it is printed.
struct Secret: Hashable, Sendable {
    let value: String

    init(_ value: String) {
        self.value = value
    }

    var bytes: [UInt8] { Array(value.utf8) }
}

extension Secret: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    var description: String { Redaction.mask }
    var debugDescription: String { description }
    var customMirror: Mirror { Mirror(self, children: [(label: String?, value: Any)]()) }
}

/// Takes the passwords out of addresses before they are shown. Where in doubt it shows less.
enum Redaction {
    static let mask = "***"

    /// `amqp://user:***@host:port/vhost`.
    static func brokerURL(_ text: String) -> String {
        guard let separator = text.firstRange(of: "://") else { return mask }
        return String(text[..<separator.upperBound]) + authority(text[separator.upperBound...], end: ["/"])
    }

    /// A libpq connection string, in either of its forms.
    static func conninfo(_ text: String) -> String {
        guard text.hasPrefix("postgresql://") || text.hasPrefix("postgres://") else { return pairs(text) }
        guard let separator = text.firstRange(of: "://") else { return mask }
        let rest = text[separator.upperBound...]
        let query = rest.firstIndex(of: "?") ?? rest.endIndex
        let address = String(text[..<separator.upperBound]) + authority(rest[..<query], end: ["/"])
        guard query < rest.endIndex else { return address }
        let parameters = rest[rest.index(after: query)...].split(separator: "&", omittingEmptySubsequences: false)
        return address + "?" + parameters.map(parameter).joined(separator: "&")
    }

    private static func authority(_ text: Substring, end: Set<Character>) -> String {
        let stop = text.firstIndex(where: end.contains) ?? text.endIndex
        guard let at = text[..<stop].lastIndex(of: "@"), let colon = text[..<at].firstIndex(of: ":") else {
            return String(text)
        }
        return text[...colon] + mask + text[at...]
    }

    /// libpq decodes the names of parameters too; an encoded one is not worth decoding here.
    private static func parameter(_ text: Substring) -> String {
        guard let equals = text.firstIndex(of: "=") else { return String(text) }
        let name = text[..<equals]
        return isSecret(name) || name.contains("%") ? "\(name)=\(mask)" : String(text)
    }

    private static func isSecret(_ name: some StringProtocol) -> Bool {
        name.lowercased().hasSuffix("password")
    }

    /// `keyword = 'value'` pairs: the values may be quoted, and a backslash takes the next character as it is.
    private static func pairs(_ text: String) -> String {
        var shown: [String] = []
        var rest = text[...].drop(while: \.isWhitespace)
        while !rest.isEmpty {
            guard let equals = rest.firstIndex(of: "=") else { return mask }
            let name = rest[..<equals].trimmed
            rest = rest[rest.index(after: equals)...].drop(while: \.isWhitespace)
            let start = rest.startIndex
            guard skipValue(&rest) else { return mask }
            shown.append("\(name)=\(isSecret(name) ? mask : String(text[start..<rest.startIndex]))")
            rest = rest.drop(while: \.isWhitespace)
        }
        return shown.joined(separator: " ")
    }

    private static func skipValue(_ rest: inout Substring) -> Bool {
        let isQuoted = rest.first == "'"
        if isQuoted { rest.removeFirst() }
        while let character = rest.first, isQuoted || !character.isWhitespace {
            rest.removeFirst()
            if isQuoted, character == "'" { return true }
            if character == "\\", !rest.isEmpty { rest.removeFirst() }
        }
        return !isQuoted
    }
}
