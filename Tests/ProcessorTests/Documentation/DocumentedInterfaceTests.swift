import ArgumentParser
import Core
import Migrations
import TestSupport
import Testing

@testable import Processor

/// What docs/contract.md and docs/operations.md say of the processor's own interface, against the code.
@Suite("The documented interface", .timeLimit(.minutes(1)))
struct DocumentedInterfaceTests {
    private let contract = DocumentationPage("contract.md")
    private let operations = DocumentationPage("operations.md")

    @Test("the configuration: every key with its variable, default and help, in their order")
    func configuration() {
        let table = DocumentedSettings.markdown
        #expect(contract.text.contains(table), "the table should be:\n\(table)")
    }

    @Test("the documents for machines have the version of the product", arguments: ["asyncapi", "openapi"])
    func version(document: String) {
        let version = YAMLPage("docs/\(document).yaml")["info/version"].string
        #expect(ProcessorCommand.configuration.version == "processor \(version ?? "")")
    }

    @Test("the exit codes")
    func exitCodes() {
        #expect(contract.table("processor", "Meaning").map { $0[0] } == ExitStatus.allCases.map { "\($0.rawValue)" })
    }

    @Test("the codes of dead letters: in the documentation, in the help, and in the code")
    func deadLetterCodes() {
        let codes = DeadLetterCode.allCases.map(\.rawValue)
        #expect(operations.table("Code", "What happened", "What to do").map { $0[0] } == codes)
        let help = ListDeadLetters.helpMessage(columns: 400)
        for help in [help, ReplayDeadLetters.helpMessage(columns: 400), DiscardDeadLetters.helpMessage(columns: 400)] {
            #expect(help.contains("Only those with this code: \(codes.joined(separator: ", "))."))
        }
    }

    @Test("the states of dead letters and of replays, and what becomes of a dead letter")
    func deadLetterStates() {
        let states = DeadLetterState.allCases.map(\.rawValue)
        #expect(contract.text.contains("`--state \(states.joined(separator: "|"))|all`"))
        let help = ListDeadLetters.helpMessage(columns: 400)
        #expect(help.contains("Only those in this state: \(states.joined(separator: ", ")); or all."))
        let replays = ReplayRun.State.allCases.map { "`\($0.rawValue)`" }
        let sentence = "`state` is \(replays.dropLast().joined(separator: ", ")) or \(replays.last ?? "")"
        #expect(contract.text.contains(sentence))
        let lines = contract.text.split(separator: "\n")
        let show = lines.first { $0.hasPrefix("| `dead-letters replays show`, `stop` |") }
        for result in ReplayResult.allCases where result != .replayed {
            #expect(show?.contains("`\(result.rawValue)`") == true, "\(result)")
        }
    }

    @Test("the metrics, with their labels")
    func metrics() {
        let families = MetricFamilies()
        let documented = contract.table("Metric", "Labels", "Meaning")
        #expect(documented.map { $0[0] } == ProcessorMetrics.Name.allCases.map(\.rawValue))
        for row in documented {
            #expect(Set(row[1].split(separator: ", ").map(String.init)) == families.labels[row[0]], "\(row[0])")
        }
    }

    @Test("the values of the labels outcome and verdict")
    func labelValues() {
        let text = contract.section("Metrics")
        for outcome in CommandOutcome.allCases { #expect(text.contains("`\(outcome.rawValue)`")) }
        for verdict in BankCallVerdict.allCases { #expect(text.contains("`\(verdict.rawValue)`")) }
    }

    @Test("the commands, each with the options that the page gives it")
    func commands() {
        let documented = contract.table("Command", "What it does").map { $0[0] }
        let leaves = Self.leaves(of: ProcessorCommand.self, path: [])
        #expect(documented.count == leaves.count)
        for leaf in leaves {
            let rows = documented.filter { $0 == leaf.name || $0.hasPrefix(leaf.name + " ") }
            #expect(rows.count == 1, "\(leaf.name)")
            let help = leaf.command.helpMessage(columns: 200)
            for option in rows.first?.split(whereSeparator: { !$0.isLetter && $0 != "-" }) ?? []
            where option.hasPrefix("--") {
                #expect(help.contains(option), "\(leaf.name) \(option)")
            }
        }
    }

    private static func leaves(
        of command: any ParsableCommand.Type,
        path: [String]
    ) -> [(name: String, command: any ParsableCommand.Type)] {
        let children = command.configuration.subcommands.filter { $0.configuration.shouldDisplay }
        guard !children.isEmpty else { return [(path.joined(separator: " "), command)] }
        return children.flatMap { child in
            leaves(of: child, path: path + [child.configuration.commandName ?? "\(child)".lowercased()])
        }
    }

    @Test("every code of a dead letter that the processor gives can be asked for")
    func givenCodes() {
        var codes: Set<String> = [
            RejectionCode.invalidCommand.rawValue, DeadLetterFailure.needsAttention, DeadLetterFailure.deliveryLimit,
            DeadLetterFailure.unrouted, DeadLetterFailure.unpublishable,
        ]
        // What the store refuses for good; what is only away is waited for, and a taken id goes to manual review.
        for code in [StoreError.Code.refused, .unreadable] { codes.insert("store_\(code.rawValue)") }
        #expect(codes.isSubset(of: DeadLetterCode.allCases.map(\.rawValue)))
    }

    @Test("every table of the schema is in docs/architecture.md")
    func tables() {
        let rows = DocumentationPage("architecture.md").table("Table", "A row per", "Notes")
        let documented = rows.flatMap { $0[0].split(separator: ", ").map(String.init) }
        let created = Migrations.all.flatMap { migration in
            migration.sql.split(separator: "\n").compactMap { line in
                line.hasPrefix("CREATE TABLE ") ? line.split(separator: " ").dropFirst(2).first.map(String.init) : nil
            }
        }
        #expect(documented.sorted() == (created + ["schema_migrations"]).sorted())
    }
}

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
