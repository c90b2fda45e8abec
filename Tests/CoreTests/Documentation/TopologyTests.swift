import TestSupport
import Testing

@testable import Core

/// docs/contract.md#topology, written down once more.
@Suite("Topology", .timeLimit(.minutes(1)))
struct TopologyTests {
    private let topology = Topology(names: BrokerNames(), partitions: 8)

    @Test("the exchanges are those of the contract")
    func exchanges() {
        let expected: [String: (type: String, arguments: [String: HeaderValue])] = [
            "payments.commands": (
                "x-consistent-hash",
                ["hash-header": .string("payment-id"), "alternate-exchange": .string("payments.unrouted")]
            ),
            "payments.retry": ("direct", [:]),
            "payments.dead-letters": ("direct", [:]),
            "payments.unrouted": ("fanout", [:]),
            "payments.events": ("topic", [:]),
            "payments.sweeps": ("direct", [:]),
        ]
        #expect(topology.exchanges.count == expected.count)
        for exchange in topology.exchanges {
            #expect(exchange.type == expected[exchange.name]?.type)
            #expect(exchange.arguments == expected[exchange.name]?.arguments)
        }
    }

    @Test("the queues are those of the contract")
    func queues() {
        let command: [String: HeaderValue] = [
            "x-queue-type": .string("quorum"), "x-single-active-consumer": .bool(true),
            "x-delivery-limit": .integer(50),
            "x-dead-letter-exchange": .string("payments.dead-letters"), "x-dead-letter-routing-key": .string("dead"),
            "x-dead-letter-strategy": .string("at-least-once"), "x-overflow": .string("reject-publish"),
        ]
        func retry(_ milliseconds: Int64) -> [String: HeaderValue] {
            [
                "x-queue-type": .string("quorum"), "x-message-ttl": .integer(milliseconds),
                "x-dead-letter-exchange": .string("payments.commands"),
                "x-dead-letter-strategy": .string("at-least-once"), "x-overflow": .string("reject-publish"),
            ]
        }
        let keeping: [String: HeaderValue] = [
            "x-queue-type": .string("quorum"), "x-delivery-limit": .integer(2_000_000_000),
        ]
        var expected: [String: [String: HeaderValue]] = [
            "payments.retry.5s": retry(5_000), "payments.retry.30s": retry(30_000), "payments.retry.2m": retry(120_000),
            "payments.retry.10m": retry(600_000), "payments.retry.1h": retry(3_600_000),
            "payments.dead-letters": keeping, "payments.unrouted": keeping,
            "payments.replies": ["x-queue-type": .string("quorum"), "x-overflow": .string("reject-publish")],
            "payments.sweeps": [
                "x-queue-type": .string("quorum"), "x-single-active-consumer": .bool(true),
                "x-message-ttl": .integer(60_000),
            ],
        ]
        for partition in 0..<8 { expected["payments.commands.\(partition)"] = command }
        #expect(topology.queues.count == expected.count)
        for queue in topology.queues { #expect(queue.arguments == expected[queue.name], "\(queue.name)") }
    }

    @Test("the bindings are those of the contract")
    func bindings() {
        var expected: Set<[String]> = [
            ["payments.retry", "payments.retry.5s", "5s"], ["payments.retry", "payments.retry.30s", "30s"],
            ["payments.retry", "payments.retry.2m", "2m"], ["payments.retry", "payments.retry.10m", "10m"],
            ["payments.retry", "payments.retry.1h", "1h"], ["payments.dead-letters", "payments.dead-letters", "dead"],
            ["payments.unrouted", "payments.unrouted", ""], ["payments.sweeps", "payments.sweeps", "tick"],
        ]
        for partition in 0..<8 { expected.insert(["payments.commands", "payments.commands.\(partition)", "1"]) }
        #expect(topology.bindings.count == expected.count)
        #expect(Set(topology.bindings.map { [$0.exchange, $0.queue, $0.key] }) == expected)
    }

    @Test("an exchange that another names is declared before it")
    func order() throws {
        let names = topology.exchanges.map(\.name)
        let unrouted = try #require(names.firstIndex(of: "payments.unrouted"))
        let commands = try #require(names.firstIndex(of: "payments.commands"))
        #expect(unrouted < commands)
    }

    @Test("prefix and partitions are configuration")
    func configuration() {
        let other = Topology(names: BrokerNames(prefix: "test-7"), partitions: 1)
        let names = other.exchanges.map(\.name) + other.queues.map(\.name)
        #expect(names.allSatisfy { $0.hasPrefix("test-7.") })
        #expect(other.queues.filter { $0.name.hasPrefix("test-7.commands.") }.map(\.name) == ["test-7.commands.0"])
        let arguments = (other.queues.map(\.arguments) + other.exchanges.map(\.arguments)).flatMap(\.values)
        #expect(!arguments.contains { $0.string?.hasPrefix("payments") == true })
    }
}

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
