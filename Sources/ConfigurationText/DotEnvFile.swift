/// The variables of a `.env` file: `KEY=value` lines, with comments, blank lines, quotes and a leading `export` as in a
/// shell.
package struct DotEnvFile: Sendable {
    package private(set) var variables: [String: String] = [:]
    /// `.env line 3: is not KEY=value`; never what stands there.
    package private(set) var problems: [String] = []

    package init() {}

    package init(_ text: String) {
        for (index, line) in text.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline).enumerated() {
            let line = line.trimmed
            guard !line.isEmpty, line.first != "#" else { continue }
            guard let (name, value) = Self.assignment(line) else {
                problems.append(".env line \(index + 1): is not KEY=value, KEY='value' or KEY=\"value\"")
                continue
            }
            variables[name] = value
        }
    }

    private static func assignment(_ line: Substring) -> (name: String, value: String)? {
        guard let equals = line.firstIndex(of: "=") else { return nil }
        var name = line[..<equals]
        if name.hasPrefix("export ") { name = name.dropFirst("export ".count) }
        name = name.trimmed
        guard let first = name.utf8.first, !(UInt8(ascii: "0")...UInt8(ascii: "9")).contains(first),
            name.utf8.allSatisfy(isNameByte)
        else { return nil }
        return value(line[line.index(after: equals)...].trimmed).map { (String(name), $0) }
    }

    private static func isNameByte(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"):
            true
        default: false
        }
    }

    /// Quoted: up to the closing quote, within double quotes with `\"`, `\\` and `\$` taken as the character behind the
    /// backslash. Bare: up to a `#` that follows white space.
    private static func value(_ text: Substring) -> String? {
        guard let quote = text.first, quote == "'" || quote == "\"" else { return bare(text) }
        var value = ""
        var rest = text.dropFirst()
        while let character = rest.popFirst() {
            if character == quote { return isComment(rest) ? value : nil }
            if quote == "\"", character == "\\", let next = rest.first, "\"\\$`".contains(next) {
                value.append(next)
                rest.removeFirst()
            } else {
                value.append(character)
            }
        }
        return nil
    }

    private static func bare(_ text: Substring) -> String {
        var end = text.startIndex
        var isAfterSpace = true
        for index in text.indices {
            if text[index] == "#", isAfterSpace { break }
            isAfterSpace = text[index].isWhitespace
            if !isAfterSpace { end = text.index(after: index) }
        }
        return String(text[..<end])
    }

    private static func isComment(_ rest: Substring) -> Bool {
        let trimmed = rest.trimmed
        return trimmed.isEmpty || (trimmed.first == "#" && rest.first?.isWhitespace == true)
    }
}

extension Substring {
    /// Without white space at its ends.
    package var trimmed: Substring {
        var text = drop(while: \.isWhitespace)
        while text.last?.isWhitespace == true { text.removeLast() }
        return text
    }
}
