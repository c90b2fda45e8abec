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
