/// A page of `docs/`, read for what can be compared with the code.
package struct DocumentationPage: Sendable {
    package let name: String
    package let text: String

    /// - Parameter name: such as `contract.md`. A page that is not there has no text, so whatever is asked of it fails.
    package init(_ name: String) {
        self.name = name
        text = ScratchDirectory.read("\(Self.root)/docs/\(name)")
    }

    /// The folder of the repository.
    package static let root = #filePath.split(separator: "/").dropLast(3).map { "/" + $0 }.joined()

    /// The rows of the table that begins with these column names; backticks and the escapes of `|` are taken off its cells.
    ///
    /// - Returns: without its two head rows; empty where there is no such table.
    package func table(_ columns: String...) -> [[String]] {
        let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
        let tables = lines.indices.filter { Self.cells(of: lines[$0]) == columns }
        guard let head = tables.first, tables.count == 1 else { return [] }
        return lines[(head + 2)...].prefix { $0.hasPrefix("|") }.map(Self.cells)
    }

    /// The text under a heading, up to the next one of its own or a higher level.
    package func section(_ heading: String) -> Substring {
        let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
        guard let start = lines.firstIndex(where: { $0.hasPrefix("#") && $0.drop { $0 == "#" } == " \(heading)" })
        else {
            return ""
        }
        let level = lines[start].prefix { $0 == "#" }
        let end = lines[(start + 1)...].firstIndex { line in
            line.hasPrefix("#") && line.prefix { $0 == "#" }.count <= level.count
        }
        return text[lines[start].startIndex..<(end.map { lines[$0].startIndex } ?? text.endIndex)]
    }

    private static func cells(of line: Substring) -> [String] {
        guard line.hasPrefix("|") else { return [] }
        let bare = line.split(separator: "\\|", omittingEmptySubsequences: false).joined(separator: "\u{1}")
        return bare.split(separator: "|", omittingEmptySubsequences: false).dropFirst().dropLast().map { cell in
            String(cell.filter { $0 != "`" }.map { $0 == "\u{1}" ? "|" : $0 }).trimmed
        }
    }
}

extension String {
    fileprivate var trimmed: String {
        String(drop { $0 == " " }.reversed().drop { $0 == " " }.reversed())
    }
}

/// The file of sealed cards that other libraries have made, and their keys (`Tests/Interoperability/seal.py`).
package enum ForeignCards {
    /// JSON.
    package static var text: String { ScratchDirectory.read("\(directory)/sealed-cards.json") }

    /// Where the scripts of other languages are.
    package static let directory = "\(DocumentationPage.root)/Tests/Interoperability"
}
