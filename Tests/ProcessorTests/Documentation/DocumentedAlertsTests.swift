import Core
import TestSupport
import Testing

@testable import Processor

/// The alerts of docs/operations.md and ops/prometheus/alerts.yaml, and the dashboard, against each other and the code.
@Suite("Alerts and dashboard", .timeLimit(.minutes(1)))
struct DocumentedAlertsTests {
    private let rules = YAMLPage("ops/prometheus/alerts.yaml")["groups"].elements.flatMap {
        $0["rules"]?.elements ?? []
    }
    private let series = MetricFamilies().series

    @Test("the rules are those of the table, in its order")
    func table() {
        let rows = DocumentationPage("operations.md").table("Alert", "Condition", "What it means, and what to do")
        let written = rules.map { rule in
            let time = rule["for"]?.string.map { " for \($0.dropLast()) minutes" } ?? ""
            return [rule["annotations"]?["summary"]?.string ?? "", (rule["expr"]?.string ?? "") + time]
        }
        #expect(rows.count > 5)
        #expect(rows.map { Array($0[0...1]) } == written)
    }

    @Test("the rules are about metrics that exist")
    func metrics() {
        for rule in rules { check(rule["expr"]?.string ?? "", rule["alert"]?.string ?? "") }
    }

    @Test("the panels of the dashboard are about metrics that exist, and every metric of ours is in one")
    func dashboard() throws {
        let text = ScratchDirectory.read("\(DocumentationPage.root)/ops/grafana/dashboard.json")
        let expressions = Self.expressions(in: try JSONParser.parse(Array(text.utf8)))
        for expression in expressions { check(expression, "the dashboard") }
        let shown = Set(expressions.flatMap(Self.metrics))
        for family in MetricFamilies().types.keys where family.hasPrefix("payments_") {
            #expect(shown.contains { $0 == family || $0.hasPrefix("\(family)_") }, "\(family)")
        }
    }

    private func check(_ expression: String, _ place: String) {
        let names = Self.metrics(of: expression)
        #expect(!names.isEmpty, "\(place): \(expression)")
        for name in names { #expect(series.contains(name), "\(place): \(name)") }
    }

    private static func metrics(of expression: String) -> [String] {
        expression.matches(of: /\b(?:payments|process)_\w+/).map { String($0.output) }
    }

    private static func expressions(in value: JSONValue) -> [String] {
        switch value {
        case .object(let members):
            members.flatMap { name, value in
                name == "expr" ? [value.string ?? ""] : expressions(in: value)
            }
        case .array(let elements): elements.flatMap(expressions)
        case .null, .bool, .number, .string: []
        }
    }
}
