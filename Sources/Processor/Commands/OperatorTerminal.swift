import Glibc
import Program

/// The operator at the terminal, if there is one.
struct ConfirmationTerminal: Sendable {
    let isThere: Bool
    private let readLine: @Sendable () -> String?

    /// Standard input and standard error are both a terminal: what is asked is seen, and what is typed comes from an
    /// operator.
    static let standard = ConfirmationTerminal(isThere: isatty(0) == 1 && isatty(2) == 1) { Swift.readLine() }

    init(isThere: Bool, readLine: @escaping @Sendable () -> String?) {
        self.isThere = isThere
        self.readLine = readLine
    }

    /// `nil` where no number was typed.
    func askForCount(_ question: String) -> Int? {
        StandardStream.error.print(question)
        return readLine().flatMap { line in Int(line.filter { !$0.isWhitespace }) }
    }

    /// Whether the operator agrees, in a whole word.
    func consents(to question: String) -> Bool {
        StandardStream.error.print("\(question)\nType yes to do it: ")
        return readLine()?.filter { !$0.isWhitespace } == "yes"
    }

    /// For the audit of what is done on this machine: who has logged in, also behind sudo.
    static var operatorName: String {
        let environment = getenv("SUDO_USER").map { String(cString: $0) }
        let account = getpwuid(getuid()).map { String(cString: $0.pointee.pw_name) }
        let name = environment.flatMap { $0.isEmpty ? nil : $0 } ?? account ?? "uid \(getuid())"
        return String(name.prefix(128))
    }
}

/// Rows of text in columns.
enum TextTable {
    /// Each column as wide as its widest cell, two spaces apart. What could move the cursor of a terminal is replaced.
    static func lines(_ rows: [[String]]) -> [String] {
        let rows = rows.map { $0.map(printable) }
        let columns = rows.map(\.count).max() ?? 0
        let widths = (0..<columns).map { column in
            rows.map { column < $0.count ? $0[column].count : 0 }.max() ?? 0
        }
        return rows.map { row in
            let cells = zip(row, widths).map { cell, width in cell + String(repeating: " ", count: width - cell.count) }
            var line = cells.joined(separator: "  ")
            while line.last == " " { line.removeLast() }
            return line
        }
    }

    /// A title over indented rows.
    ///
    /// - Parameter header: over the columns, where they need one.
    static func section(_ title: String, _ header: [String]?, _ rows: [[String]]) -> String {
        let table = rows.isEmpty ? [["none"]] : (header.map { [$0] } ?? []) + rows
        return ([title] + lines(table).map { "  \($0)" }).joined(separator: "\n")
    }

    private static func printable(_ text: String) -> String {
        String(
            String.UnicodeScalarView(
                text.unicodeScalars.map { scalar in
                    switch scalar.properties.generalCategory {
                    case .control, .format, .lineSeparator, .paragraphSeparator: "?"
                    default: scalar
                    }
                }
            )
        )
    }
}
