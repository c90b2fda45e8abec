import Testing

@testable import Processor

@Suite("The doctor's checks of a cluster")
struct LeaderChecksTests {
    private static func findings(_ placements: [QueuePlacement], nodesNamed: Int = 1) -> [String: Finding] {
        let checks = LeaderChecks(queues: ["a", "b"], nodesNamed: nodesNamed)
        return Dictionary(uniqueKeysWithValues: checks.findings(placements).map { ($0.subject, $0) })
    }

    private static func queue(_ name: String, _ leader: String?, _ members: String...) -> QueuePlacement {
        QueuePlacement(queue: name, leader: leader, members: members)
    }

    @Test("of a single node there is nothing to say")
    func single() {
        #expect(Self.findings([Self.queue("a", "x", "x"), Self.queue("b", "x", "x")]).isEmpty)
        #expect(Self.findings([]).isEmpty)
    }

    @Test("a node that leads all is named, with what to do; other queues do not count")
    func leaders() {
        let members = ["x", "y", "z"]
        func led(_ name: String, by leader: String?) -> QueuePlacement {
            QueuePlacement(queue: name, leader: leader, members: members)
        }
        let one = Self.findings([led("a", by: "x"), led("b", by: "x"), led("other", by: "y")])["queue leaders"]
        #expect(one?.grade == .advice)
        #expect(one?.detail.hasPrefix("one node leads all queues: x 2; run `rabbitmq-queues rebalance") == true)
        let spread = Self.findings([led("a", by: "x"), led("b", by: "y")])["queue leaders"]
        #expect(spread == Finding("queue leaders", .ok, "x 1, y 1"))
        #expect(Self.findings([led("a", by: nil), led("b", by: nil)])["queue leaders"]?.grade == .wrong)
    }

    @Test("queues on too few nodes are named, those declared before the others joined among them")
    func members() {
        let some = Self.findings([Self.queue("a", "x", "x", "y", "z"), Self.queue("b", "x", "x")])["queue members"]
        #expect(some?.grade == .advice)
        #expect(some?.detail.hasPrefix("on fewer than 3 nodes: b; run `rabbitmq-queues grow") == true)
        let early = Self.findings([Self.queue("a", "x", "x"), Self.queue("b", "x", "x")], nodesNamed: 3)
        #expect(early["queue members"]?.detail.hasPrefix("on fewer than 3 nodes: a, b;") == true)
        let well = Self.findings([Self.queue("a", "x", "x", "y", "z"), Self.queue("b", "y", "x", "y", "z")])
        #expect(well.values.allSatisfy { $0.grade == .ok })
    }
}
