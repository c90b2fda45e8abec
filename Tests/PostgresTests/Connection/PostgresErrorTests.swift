import Testing

@testable import Postgres

@Suite("An error of the driver")
struct PostgresErrorTests {
    @Test(
        "is retriable when the condition lies in the moment",
        arguments: [
            ("40001", true), ("40P01", true), ("40002", false), ("55P03", true), ("57014", true), ("57P01", true),
            ("57P02", true), ("57P03", true), ("25006", true), ("53300", true), ("08006", true), ("23505", false),
            ("42601", false), ("22P02", false), ("25P02", false), ("XX000", false),
        ] as [(SQLState, Bool)]
    )
    func retriable(state: SQLState, expected: Bool) {
        #expect(PostgresError(.server, sqlState: state).isRetriable == expected)
        #expect(PostgresError(.server, sqlState: state, outcomeUnknown: true).isRetriable == false)
    }

    @Test(
        "ends the connection when the server is going away, or cannot be written to",
        arguments: [
            ("25006", true), ("57P01", true), ("57P02", true), ("57P04", true), ("57P05", true), ("25P03", true),
            ("08P01", true), ("57014", false), ("40P01", false), ("23505", false), ("55P03", false),
        ] as [(SQLState, Bool)]
    )
    func endsConnection(state: SQLState, expected: Bool) {
        #expect(PostgresError(.server, sqlState: state, severity: .error).endsConnection == expected)
        #expect(PostgresError(.server, sqlState: state, severity: .fatal).endsConnection)
    }

    @Test("by its code is retriable or not", arguments: PostgresError.Code.allCases)
    func codes(code: PostgresError.Code) {
        let retriable: Set<PostgresError.Code> = [.connectFailed, .connectionLost, .waitTimedOut]
        #expect(PostgresError(code).isRetriable == retriable.contains(code))
    }

    @Test("takes five digits or capitals for an SQLSTATE, and nothing else")
    func states() {
        #expect(SQLState("40P01" as String)?.code == "40P01")
        for text in ["", "40P0", "40P011", "40p01", "40 01"] { #expect(SQLState(text) == nil) }
    }
}
