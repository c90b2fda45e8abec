import TestSupport
import Testing

@testable import Core

/// docs/contract.md#topology against the code that declares it.
@Suite("The documented topology", .timeLimit(.minutes(1)))
struct DocumentedTopologyTests {
    private let contract = DocumentationPage("contract.md")
    private let topology = Topology(names: BrokerNames(), partitions: 8)

    @Test("exchanges, with their types and arguments")
    func exchanges() {
        let documented = contract.table("Exchange", "Type", "Arguments")
        #expect(Set(documented) == Set(topology.exchanges.map { [$0.name, $0.type, Self.text(of: $0.arguments)] }))
        #expect(documented.count == topology.exchanges.count)
    }

    @Test("queues, with their arguments; all of them are quorum queues")
    func queues() {
        let documented = contract.table("Queue", "Arguments").flatMap { row in
            Self.names(row[0]).map { [$0, row[1]] }
        }
        let declared = topology.queues.map { queue in
            #expect(queue.arguments["x-queue-type"] == .string("quorum"))
            return [queue.name, Self.text(of: queue.arguments.filter { $0.key != "x-queue-type" })]
        }
        #expect(Set(documented) == Set(declared))
        #expect(documented.count == declared.count)
    }

    @Test("bindings, with their keys")
    func bindings() {
        let documented = contract.table("Binding from", "to", "key").flatMap { row in
            Self.names(row[1]).map { [row[0], $0, row[2]] }
        }
        #expect(Set(documented) == Set(topology.bindings.map { [$0.exchange, $0.queue, $0.key] }))
        #expect(documented.count == topology.bindings.count)
    }

    /// `payments.commands.0 … payments.commands.7` is eight names.
    private static func names(_ cell: String) -> [String] {
        let ends = cell.split(separator: " … ").map(String.init)
        guard ends.count == 2, let first = ends[0].split(separator: ".").last.flatMap({ Int($0) }),
            let last = ends[1].split(separator: ".").last.flatMap({ Int($0) }), first <= last
        else { return [cell] }
        let stem = ends[0].split(separator: ".").dropLast().joined(separator: ".")
        return (first...last).map { "\(stem).\($0)" }
    }

    private static func text(of arguments: [String: HeaderValue]) -> String {
        arguments.sorted { $0.key < $1.key }.map { name, value in
            switch value {
            case .string(let text): "\(name): \"\(text)\""
            case .integer(let number): "\(name): \(number)"
            case .bool(let flag): "\(name): \(flag)"
            case .other: "\(name): ?"
            }
        }.joined(separator: ", ")
    }
}
