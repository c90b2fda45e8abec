import Glibc

/// The variables of a `.env` file, which the processor reads too: `KEY=value`, with comments, quotes and a leading `export`
/// as in a shell. A line that is none is passed over; the processor, whose file it mostly is, complains about it.
enum EnvironmentFile {
    /// - Returns: nothing when there is no such file.
    /// - Throws: when it is there and cannot be read.
    static func variables(path: String) throws(FileProblem) -> [String: String] {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else {
            let number = errno
            if number == ENOENT { return [:] }
            throw FileProblem(number: number)
        }
        defer { close(descriptor) }
        var reader = LineReader(descriptor: descriptor, maximumLength: 64 * 1_024)
        var variables: [String: String] = [:]
        while let line = try reader.next() {
            guard case .line(let bytes) = line, let (name, value) = assignment(String(decoding: bytes, as: UTF8.self))
            else { continue }
            variables[name] = value
        }
        return variables
    }

    /// The last of several assignments to a name counts.
    static func assignment(_ line: String) -> (name: String, value: String)? {
        let parts = line.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
        guard parts.count == 2 else { return nil }
        var words = parts[0].split(whereSeparator: \.isWhitespace)
        if words.count == 2, words[0] == "export" { words.removeFirst() }
        guard words.count == 1, let name = words.first, !name.hasPrefix("#") else { return nil }
        return value(trimmed(parts[1])).map { (String(name), $0) }
    }

    /// Quoted, up to the closing quote; else up to a `#` behind white space.
    private static func value(_ text: Substring) -> String? {
        if let quote = text.first, quote == "'" || quote == "\"" {
            let content = text.dropFirst()
            return content.firstIndex(of: quote).map { String(content[..<$0]) }
        }
        let comment = text.indices.first { index in
            text[index] == "#" && (index == text.startIndex || text[text.index(before: index)].isWhitespace)
        }
        return String(trimmed(text[..<(comment ?? text.endIndex)]))
    }

    private static func trimmed(_ text: Substring) -> Substring {
        let start = text.drop(while: \.isWhitespace)
        let end = start.lastIndex { !$0.isWhitespace }
        return end.map { start[...$0] } ?? ""
    }
}
