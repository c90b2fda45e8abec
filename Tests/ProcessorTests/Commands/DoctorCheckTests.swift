import Core
import Foundation
import Migrations
import Testing
import WipingHeap

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

@Suite("The doctor's checks of files and clocks")
struct FileChecksTests {
    @Test("a file with a secret that others may read is wrong, and the way out is named")
    func modes() throws {
        let path = "/tmp/doctor-\(UUID().uuidString)"
        defer { try? FileManager.default.removeItem(atPath: path) }
        #expect(FileChecks.finding("key", path).grade == .wrong)
        try Data("secret".utf8).write(to: URL(filePath: path))
        try FileManager.default.setAttributes([.posixPermissions: 0o644], ofItemAtPath: path)
        let open = FileChecks.finding("key", path)
        #expect(open.grade == .wrong && open.detail.hasSuffix("chmod 600 \(path)"))
        try FileManager.default.setAttributes([.posixPermissions: 0o600], ofItemAtPath: path)
        #expect(FileChecks.finding("key", path).grade == .ok)
    }

    @Test(
        "a clock may differ a little",
        arguments: [(0, Finding.Grade.ok), (4, .ok), (-4, .ok), (5, .advice), (-59, .advice), (60, .wrong)]
    )
    func skew(seconds: Int, grade: Finding.Grade) {
        #expect(DatabaseChecks.skew("clock", .seconds(seconds)).grade == grade)
    }
}

@Suite("The rights of a role", .timeLimit(.minutes(1)))
struct GrantsTests {
    @Test("every table of the schema has its rights, and what is kept for ever can be neither changed nor removed")
    func tables() {
        let created = Migrations.all.flatMap { migration in
            migration.sql.split(separator: "\n").compactMap { line in
                line.hasPrefix("CREATE TABLE ") ? line.split(separator: " ").dropFirst(2).first.map(String.init) : nil
            }
        }
        let granted = GrantStatements.added + GrantStatements.changed + GrantStatements.removed + GrantStatements.read
        #expect(granted.sorted() == (created + ["schema_migrations"]).sorted())
        for kept in ["payment_history", "dead_letter_audit", "operation_attempts"] {
            #expect(GrantStatements.added.contains(kept))
        }
    }

    @Test("names are quoted, whatever is in them")
    func quoting() {
        let text = GrantStatements(role: "a\"; DROP TABLE payments; --", schema: "s").text
        #expect(text.contains(#"TO "a""; DROP TABLE payments; --";"#))
        #expect(text.split(separator: "\n").allSatisfy { $0.hasPrefix("GRANT ") })
    }
}

@Suite("The memory that is freed", .timeLimit(.minutes(1)))
struct WipingHeapTests {
    @Test("the processor overwrites it")
    func isInForce() {
        #expect(wiping_heap_is_in_force() == 1)
    }
}
