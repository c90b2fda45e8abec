import Glibc
import Program

/// What a person may be looking at.
enum Terminal {
    static func isTerminal(_ descriptor: Int32) -> Bool { isatty(descriptor) == 1 }

    /// Colours are for terminals, and for those who have not asked to go without (https://no-color.org).
    static func wantsColour(isTerminal: Bool, environment: (String) -> String?) -> Bool {
        isTerminal && (environment("NO_COLOR") ?? "").isEmpty && environment("TERM") != "dumb"
    }

    /// In characters; 80 where it cannot be told.
    static func width(_ descriptor: Int32) -> Int {
        var size = winsize()
        guard ioctl(descriptor, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 0 else { return 80 }
        return Int(size.ws_col)
    }

    static func environment(_ name: String) -> String? { getenv(name).map { String(cString: $0) } }
}

/// For everything that is not data.
enum StandardError {
    static func line(_ text: String) {
        write("publisher: \(text)\n")
    }

    static func write(_ text: String) {
        StandardStream.error.write(text)
    }
}

/// Colours (ECMA-48), or none.
struct Palette {
    let isColoured: Bool

    func green(_ text: String) -> String { wrapped(text, "32") }
    func red(_ text: String) -> String { wrapped(text, "31") }
    func yellow(_ text: String) -> String { wrapped(text, "33") }
    func bold(_ text: String) -> String { wrapped(text, "1") }
    func dim(_ text: String) -> String { wrapped(text, "2") }

    private func wrapped(_ text: String, _ code: String) -> String {
        isColoured ? "\u{1b}[\(code)m\(text)\u{1b}[0m" : text
    }
}

/// Text from elsewhere, made harmless for a terminal.
enum PlainText {
    /// Control characters, which could move the cursor or change its colour, become U+FFFD.
    static func of(_ text: String) -> String {
        var output = String.UnicodeScalarView()
        for scalar in text.unicodeScalars {
            let isControl = scalar.value < 0x20 || (0x7f...0x9f).contains(scalar.value)
            output.append(isControl ? "\u{fffd}" : scalar)
        }
        return String(output)
    }
}

/// Names and values below each other, the values in one column.
struct Table {
    private var rows: [(name: String, value: String)] = []

    /// A row without a value is left out.
    mutating func add(_ name: String, _ value: String?) {
        if let value { rows.append((name, value)) }
    }

    /// Two columns, the names dimmed.
    func text(_ palette: Palette) -> String {
        let width = rows.map(\.name.count).max() ?? 0
        return rows.map { name, value in
            "  \(palette.dim(name))\(String(repeating: " ", count: width - name.count + 2))\(value)\n"
        }.joined()
    }
}
