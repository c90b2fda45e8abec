/// The text of `options` in a connection string, or of `PGOPTIONS`, as the server reads it: arguments of a command line.
enum SessionOptions {
    /// The settings that it makes, in order; `nil` where it has anything else, or cannot be read.
    static func settings(in text: String) -> [(name: String, value: String)]? {
        var settings: [(name: String, value: String)] = []
        var arguments = split(text)[...]
        while let argument = arguments.popFirst() {
            var assignment: Substring
            if argument.hasPrefix("--") {
                assignment = argument.dropFirst(2)
            } else if argument.hasPrefix("-c") {
                assignment = argument.dropFirst(2)
                if assignment.isEmpty {
                    guard let next = arguments.popFirst() else { return nil }
                    assignment = next[...]
                }
            } else {
                return nil
            }
            guard let sign = assignment.firstIndex(of: "="), sign > assignment.startIndex else { return nil }
            let name = assignment[..<sign].map { $0 == "-" ? "_" : $0 }
            settings.append((String(name), String(assignment[assignment.index(after: sign)...])))
        }
        return settings
    }

    /// By white space; a backslash takes the next character as it is.
    private static func split(_ text: String) -> [String] {
        var arguments: [String] = []
        var current: String?
        var isEscaped = false
        for character in text {
            if isEscaped {
                current = (current ?? "") + String(character)
                isEscaped = false
            } else if character == "\\" {
                isEscaped = true
            } else if character.isWhitespace {
                if let argument = current { arguments.append(argument) }
                current = nil
            } else {
                current = (current ?? "") + String(character)
            }
        }
        if let argument = current { arguments.append(argument) }
        return arguments
    }
}
