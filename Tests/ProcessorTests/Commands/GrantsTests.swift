import Core
import Migrations
import Testing

@testable import Processor

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
