import Core
import TestSupport
import Yams

@testable import Processor

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

/// The metrics of a processor at its start, as Prometheus reads them.
struct MetricFamilies {
    /// `counter`, `gauge` or `histogram`, by name.
    private(set) var types: [String: String] = [:]
    /// By name; those that a histogram's buckets have beside theirs are not among them.
    private(set) var labels: [String: Set<String>] = [:]

    init() {
        let registry = PrometheusRegistry()
        let metrics = ProcessorMetrics(registry: registry)
        metrics.recordDuration(.authorize, .seconds(1))
        metrics.recordBankCall(.authorize, .seconds(1))
        for line in (registry.text + ProcessStatistics.text).split(separator: "\n") { read(line) }
    }

    /// The names of all series.
    var series: Set<String> {
        Set(
            types.flatMap { name, type in
                type == "histogram" ? ["\(name)_bucket", "\(name)_sum", "\(name)_count"] : [name]
            }
        )
    }

    private mutating func read(_ line: Substring) {
        if line.hasPrefix("# TYPE ") {
            let words = line.split(separator: " ")
            types[String(words[2])] = String(words[3])
            labels[String(words[2])] = []
        } else if !line.hasPrefix("#"), let name = types.keys.first(where: { Self.isSample(line, of: $0) }) {
            labels[name, default: []].formUnion(Self.labels(of: line))
        }
    }

    private static func isSample(_ line: Substring, of family: String) -> Bool {
        let name = line.prefix { $0 != "{" && $0 != " " }
        return ["", "_bucket", "_sum", "_count"].contains { name == family + $0 }
    }

    private static func labels(of line: Substring) -> Set<String> {
        guard let open = line.firstIndex(of: "{"), let close = line.lastIndex(of: "}") else { return [] }
        let pairs = line[line.index(after: open)..<close].split(separator: ",")
        return Set(pairs.compactMap { $0.split(separator: "=").first.map(String.init) }).subtracting(["le"])
    }
}
