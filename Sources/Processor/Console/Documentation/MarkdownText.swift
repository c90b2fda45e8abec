/// Our own Markdown pages as HTML: headings, paragraphs, lists, tables, code, emphasis and links, as the pages use them. All that is not
/// markup is escaped.
struct MarkdownText: Sendable {
    let html: String

    /// - Parameter links: where a link leads; `nil` leaves its text.
    init(_ markdown: String, links: @escaping (String) -> String?) {
        var blocks = MarkdownBlocks(markdown.split(separator: "\n", omittingEmptySubsequences: false), links)
        html = blocks.html()
    }

    /// As GitHub makes the anchor of a heading.
    static func anchor(_ heading: some StringProtocol) -> String {
        var anchor = ""
        for character in heading.lowercased() {
            if character == " " {
                anchor.append("-")
            } else if character.isLetter || character.isNumber || character == "-" || character == "_" {
                anchor.append(character)
            }
        }
        return anchor
    }

    static func escaped(_ text: some StringProtocol) -> String {
        var escaped = ""
        for character in text {
            switch character {
            case "&": escaped += "&amp;"
            case "<": escaped += "&lt;"
            case ">": escaped += "&gt;"
            case "\"": escaped += "&quot;"
            case "'": escaped += "&#39;"
            default: escaped.append(character)
            }
        }
        return escaped
    }

    /// Code, bold, italics and links within a line.
    static func inline(_ text: some StringProtocol, _ links: (String) -> String?) -> String {
        var html = ""
        var rest = Substring(text)
        while let first = rest.first {
            if first == "\\", let next = rest.dropFirst().first, next.isPunctuation || next.isSymbol {
                html += escaped(String(next))
                rest = rest.dropFirst(2)
            } else if first == "`", let end = rest.dropFirst().firstIndex(of: "`") {
                let code = rest[rest.index(after: rest.startIndex)..<end].replacing("\\|", with: "|")
                html += "<code>\(escaped(code))</code>"
                rest = rest[rest.index(after: end)...]
            } else if rest.hasPrefix("**"), let end = rest.dropFirst(2).firstRange(of: "**") {
                html += "<strong>\(inline(rest.dropFirst(2)[..<end.lowerBound], links))</strong>"
                rest = rest[end.upperBound...]
            } else if first == "*", let end = rest.dropFirst().firstIndex(of: "*"),
                end > rest.index(after: rest.startIndex)
            {
                html += "<em>\(inline(rest[rest.index(after: rest.startIndex)..<end], links))</em>"
                rest = rest[rest.index(after: end)...]
            } else if first == "[", let link = link(in: rest) {
                let label = inline(link.label, links)
                html += links(link.target).map { "<a href=\"\(escaped($0))\">\(label)</a>" } ?? label
                rest = link.rest
            } else {
                html += escaped(String(first))
                rest = rest.dropFirst()
            }
        }
        return html
    }

    private static func link(in text: Substring) -> (label: Substring, target: String, rest: Substring)? {
        guard let middle = text.firstRange(of: "]("), let end = text[middle.upperBound...].firstIndex(of: ")") else {
            return nil
        }
        let label = text[text.index(after: text.startIndex)..<middle.lowerBound]
        return (label, String(text[middle.upperBound..<end]), text[text.index(after: end)...])
    }
}

/// Reads a Markdown page block by block.
struct MarkdownBlocks {
    private var lines: ArraySlice<Substring>
    private let links: (String) -> String?
    private var anchors: [String: Int] = [:]

    init(_ lines: [Substring], _ links: @escaping (String) -> String?) {
        self.lines = lines[...]
        self.links = links
    }

    mutating func html() -> String {
        var html = ""
        while let line = lines.first {
            if line.allSatisfy(\.isWhitespace) || line.hasPrefix("<!--") {
                lines.removeFirst()
            } else if line.hasPrefix("```") {
                html += code(indentedBy: 0)
            } else if let level = Self.heading(line) {
                lines.removeFirst()
                html += heading(line.dropFirst(level + 1), level)
            } else if line.hasPrefix("|") {
                html += table()
            } else if Self.item(line) != nil {
                html += list()
            } else {
                html += "<p>\(MarkdownText.inline(paragraph(), links))</p>\n"
            }
        }
        return html
    }

    private static func heading(_ line: Substring) -> Int? {
        let level = line.prefix { $0 == "#" }.count
        return (1...6).contains(level) && line.dropFirst(level).first == " " ? level : nil
    }

    private mutating func heading(_ text: Substring, _ level: Int) -> String {
        var anchor = MarkdownText.anchor(text.replacing("`", with: ""))
        let before = anchors[anchor, default: 0]
        anchors[anchor] = before + 1
        if before > 0 { anchor += "-\(before)" }
        return "<h\(level) id=\"\(anchor)\">\(MarkdownText.inline(text, links))</h\(level)>\n"
    }

    /// What a line of a list begins with: how far it is indented, and whether it is numbered.
    private static func item(_ line: Substring) -> (indent: Int, isNumbered: Bool, text: Substring)? {
        let indent = line.prefix { $0 == " " }.count
        let text = line.dropFirst(indent)
        if text.hasPrefix("- ") { return (indent, false, text.dropFirst(2)) }
        let digits = text.prefix { $0.isASCII && $0.isNumber }
        guard !digits.isEmpty, text.dropFirst(digits.count).hasPrefix(". ") else { return nil }
        return (indent, true, text.dropFirst(digits.count + 2))
    }

    /// The lines that belong together, as one.
    private mutating func paragraph() -> String {
        var parts: [Substring] = []
        while let line = lines.first, !line.allSatisfy(\.isWhitespace), !line.hasPrefix("```"), !line.hasPrefix("|"),
            Self.heading(line) == nil, parts.isEmpty || Self.item(line) == nil
        {
            parts.append(line.drop { $0 == " " })
            lines.removeFirst()
        }
        return parts.joined(separator: " ")
    }

    private mutating func list() -> String {
        guard let first = lines.first.flatMap(Self.item) else { return "" }
        let tag = first.isNumbered ? "ol" : "ul"
        var html = "<\(tag)>\n"
        while let line = lines.first, let item = Self.item(line), item.indent == first.indent {
            lines.removeFirst()
            var text = String(item.text)
            while let next = lines.first, next.first == " ", Self.item(next) == nil,
                !next.drop(while: { $0 == " " }).hasPrefix("```"), !next.allSatisfy(\.isWhitespace)
            {
                text += " " + next.drop { $0 == " " }
                lines.removeFirst()
            }
            html += "<li>\(MarkdownText.inline(text, links))"
            while let next = lines.first {
                if let inner = Self.item(next), inner.indent > first.indent {
                    html += list()
                } else if next.first == " ", next.drop(while: { $0 == " " }).hasPrefix("```") {
                    html += code(indentedBy: next.prefix { $0 == " " }.count)
                } else {
                    break
                }
            }
            html += "</li>\n"
            // A blank line between two items of one list.
            if lines.first?.allSatisfy(\.isWhitespace) == true, let next = lines.dropFirst().first.flatMap(Self.item),
                next.indent == first.indent, next.isNumbered == first.isNumbered
            {
                lines.removeFirst()
            }
        }
        return html + "</\(tag)>\n"
    }

    private mutating func code(indentedBy indent: Int) -> String {
        lines.removeFirst()
        var code = ""
        while let line = lines.popFirst(), !line.drop(while: { $0 == " " }).hasPrefix("```") {
            code += MarkdownText.escaped(line.dropFirst(min(indent, line.prefix { $0 == " " }.count))) + "\n"
        }
        return "<pre tabindex=\"0\"><code>\(code)</code></pre>\n"
    }

    private mutating func table() -> String {
        var rows: [[String]] = []
        while let line = lines.first, line.hasPrefix("|") {
            rows.append(Self.cells(line))
            lines.removeFirst()
        }
        guard rows.count >= 2 else { return "" }
        func row(_ cells: [String], _ tag: String, _ attribute: String = "") -> String {
            "<tr>" + cells.map { "<\(tag)\(attribute)>\(MarkdownText.inline($0, links))</\(tag)>" }.joined() + "</tr>\n"
        }
        let body = rows.dropFirst(2).map { row($0, "td") }.joined()
        return "<table><thead>\(row(rows[0], "th", " scope=\"col\""))</thead>\n<tbody>\(body)</tbody></table>\n"
    }

    /// `\|` is a bar within a cell.
    private static func cells(_ line: Substring) -> [String] {
        var cells: [String] = []
        var cell = ""
        var isEscaped = false
        for character in line.dropFirst() {
            if character == "|", !isEscaped {
                cells.append(cell.trimmingBlanks)
                cell = ""
            } else {
                cell.append(character)
            }
            isEscaped = character == "\\"
        }
        return cells
    }
}
