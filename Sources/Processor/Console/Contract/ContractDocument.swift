/// One of the two documents of the contract, with what its references lead to.
struct ContractDocument: Sendable {
    let root: ContractValue

    /// - Throws: where it is not YAML.
    init(yaml: String) throws {
        root = try ContractValue(yaml: yaml)
    }

    /// What a reference leads to in the end, or the value itself.
    func resolved(_ value: ContractValue) -> ContractValue {
        var value = value
        // None is longer; a circle would be.
        for _ in 0..<8 {
            guard let reference = value["$ref"]?.text else { return value }
            value = root.at(String(reference.dropFirst(2))) ?? .members([])
        }
        return value
    }

    /// Where the page has what a reference leads to: a message of a channel is among the messages.
    static func anchor(_ reference: String) -> String {
        reference.split(separator: "/").suffix(2).joined(separator: "-")
    }

    static func link(_ reference: String) -> String {
        let name = reference.split(separator: "/").last ?? ""
        return "<a href=\"#\(anchor(reference))\">\(MarkdownText.escaped(name))</a>"
    }

    /// Links to what a list of references leads to.
    static func links(_ references: [ContractValue]) -> String {
        references.compactMap { $0["$ref"]?.text.map(link) }.joined(separator: ", ")
    }

    /// Text of the document, which is Markdown.
    static func html(_ text: String?) -> String {
        text.map { MarkdownText($0, links: Guides.target).html } ?? ""
    }

    /// The same within a line.
    static func line(_ text: String?) -> String {
        text.map { MarkdownText.inline($0.trimmingBlanks.replacing("\n", with: " "), Guides.target) } ?? ""
    }

    static func code(_ text: some StringProtocol) -> String { "<code>\(MarkdownText.escaped(text))</code>" }

    /// A value within a line: what has members as `name: value`.
    static func brief(_ value: ContractValue) -> String {
        switch value {
        case .scalar(let text, _): text.isEmpty ? "empty" : code(text)
        case .elements(let elements): elements.isEmpty ? "none" : elements.map(brief).joined(separator: ", ")
        case .members(let members):
            members.isEmpty
                ? "none"
                : members.map { member in
                    let isNested = member.value["$ref"] == nil && !member.value.members.isEmpty
                    let inner = member.value["$ref"]?.text.map(link) ?? brief(member.value)
                    return MarkdownText.escaped(member.name) + (isNested ? " (\(inner))" : ": \(inner)")
                }.joined(separator: ", ")
        }
    }
}
