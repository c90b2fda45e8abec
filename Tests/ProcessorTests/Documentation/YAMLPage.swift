import Core
import TestSupport
import Yams

/// A YAML file of the repository, for what can be compared with the code.
struct YAMLPage {
    let content: JSONValue

    /// - Parameter path: from the folder of the repository. What is not there has no content, so whatever is asked of it fails.
    init(_ path: String) {
        let text = ScratchDirectory.read("\(DocumentationPage.root)/\(path)")
        content = (try? Yams.compose(yaml: text)).map(Self.value) ?? .null
    }

    /// The value under a path such as `components/schemas`.
    subscript(path: String) -> JSONValue {
        path.split(separator: "/").reduce(content) { value, name in value[String(name)] ?? .null }
    }

    private static func value(_ node: Node) -> JSONValue {
        switch node {
        case .mapping(let members):
            var found: [String: JSONValue] = [:]
            for (name, value) in members { found[name.string ?? ""] = Self.value(value) }
            return .object(found)
        case .sequence(let elements): return .array(elements.map(value))
        case .alias: return .null
        case .scalar(let scalar):
            guard scalar.style == .plain else { return .string(scalar.string) }
            let tag = node.tag
            if tag == Tag(.null) { return .null }
            if tag == Tag(.bool) { return .bool(node.bool ?? false) }
            if tag == Tag(.int) || tag == Tag(.float) { return .number(scalar.string) }
            return .string(scalar.string)
        }
    }
}

extension JSONValue {
    var elements: [JSONValue] {
        guard case .array(let elements) = self else { return [] }
        return elements
    }

    var members: [String: JSONValue] {
        guard case .object(let members) = self else { return [:] }
        return members
    }

    /// Those of an array that are strings.
    var strings: [String] { elements.compactMap(\.string) }
}
