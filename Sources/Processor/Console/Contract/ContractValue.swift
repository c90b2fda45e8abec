import Yams

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
