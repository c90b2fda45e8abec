import Yams

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

/// A value of docs/asyncapi.yaml or docs/openapi.yaml, members in the order in which they are written.
indirect enum ContractValue: Hashable, Sendable {
    case members([Member])
    case elements([ContractValue])
    /// As it is written; text is what JSON would have in quotes.
    case scalar(String, isText: Bool)

    struct Member: Hashable, Sendable {
        let name: String
        let value: ContractValue
    }

    /// - Throws: where it is not YAML.
    init(yaml: String) throws {
        self = try Yams.compose(yaml: yaml).map(Self.init) ?? .members([])
    }

    private init(_ node: Node) {
        switch node {
        case .mapping(let mapping):
            self = .members(mapping.map { Member(name: $0.key.string ?? "", value: Self($0.value)) })
        case .sequence(let sequence): self = .elements(sequence.map(Self.init))
        case .alias: self = .scalar("null", isText: false)
        case .scalar(let scalar):
            let isOther = [Tag(.null), Tag(.bool), Tag(.int), Tag(.float)].contains(node.tag)
            self = .scalar(scalar.string, isText: scalar.style != .plain || !isOther)
        }
    }

    var members: [Member] {
        guard case .members(let members) = self else { return [] }
        return members
    }

    var elements: [ContractValue] {
        guard case .elements(let elements) = self else { return [] }
        return elements
    }

    /// Of a scalar.
    var text: String? {
        guard case .scalar(let text, _) = self else { return nil }
        return text
    }

    subscript(name: String) -> ContractValue? { members.first { $0.name == name }?.value }

    /// What is there under a path such as `info/version`.
    func at(_ path: String) -> ContractValue? {
        path.split(separator: "/").reduce(self) { value, name in value?[String(name)] }
    }

    /// As JSON, with an indent where it is no scalar.
    var json: String { json(indent: "") }

    private func json(indent: String) -> String {
        let inner = indent + "  "
        switch self {
        case .scalar(let text, let isText):
            return isText ? "\"\(text.replacing("\\", with: "\\\\").replacing("\"", with: "\\\""))\"" : text
        case .elements(let elements):
            if elements.isEmpty { return "[]" }
            return "[\n" + elements.map { inner + $0.json(indent: inner) }.joined(separator: ",\n") + "\n\(indent)]"
        case .members(let members):
            if members.isEmpty { return "{}" }
            let lines = members.map { "\(inner)\"\($0.name)\": \($0.value.json(indent: inner))" }
            return "{\n" + lines.joined(separator: ",\n") + "\n\(indent)}"
        }
    }
}
