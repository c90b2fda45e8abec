import Testing

@testable import Processor

@Suite("What a database must be like")
struct DatabaseFactsTests {
    @Test("is refused with one line that says what to do; what keeps the promises is accepted")
    func problems() {
        let cases: [(DatabaseFacts, String?)] = [
            (DatabaseFacts(), nil),
            (DatabaseFacts(synchronousCommit: "remote_apply", migrated: ["public"]), nil),
            (DatabaseFacts(encoding: "LATIN1"), "encoding LATIN1"),
            (DatabaseFacts(encoding: "SQL_ASCII"), "encoding SQL_ASCII"),
            (DatabaseFacts(synchronousCommit: "off"), "synchronous_commit is off"),
            (DatabaseFacts(synchronousCommit: "local"), "synchronous_commit is local"),
            (DatabaseFacts(statementTimeout: 0), "settings of the session do not hold"),
            (DatabaseFacts(schema: nil), "search_path names no schema"),
            (DatabaseFacts(schema: "mine", migrated: ["mine", "public"]), "mine hides public"),
            (DatabaseFacts(schema: "mine", migrated: ["public"]), "new tables would go to mine"),
            (DatabaseFacts(migrated: ["public"], isOurs: false), "of another program"),
        ]
        for (facts, expected) in cases {
            let problems = facts.problems(statementTimeout: 5_000)
            #expect(problems.count == (expected == nil ? 0 : 1), "\(facts)")
            if let expected { #expect(problems.first?.contains(expected) == true, "\(problems)") }
        }
    }
}
