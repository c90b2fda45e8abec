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
