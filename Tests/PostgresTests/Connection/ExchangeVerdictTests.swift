import Testing

@testable import Postgres

@Suite("What the answers to a Sync amount to")
struct ExchangeVerdictTests {
    private static var statement: PreparedStatement { PreparedStatement(name: "s1", sql: "", types: []) }
    private static let refusal = PostgresError(.server, sqlState: .uniqueViolation, severity: .error)
    private static let shutdown = PostgresError(.server, sqlState: .adminShutdown, severity: .fatal)
    private static let hangUp = PostgresError(.connectionLost, reason: "the server hung up")

    private static func exchange(
        _ steps: [(Link.Step, Link.Outcome)],
        loss: PostgresError? = nil,
        syncFailure: PostgresError? = nil,
        isCancelSent: Bool = false
    ) -> Link.Exchange {
        Link.Exchange(
            steps: steps.map(\.0),
            outcomes: steps.map(\.1),
            syncFailure: syncFailure,
            loss: loss,
            isSynchronized: loss == nil,
            isCancelSent: isCancelSent
        )
    }

    private struct Loss {
        let name: String
        let exchange: Link.Exchange
        let isOpen: Bool
        let isFailure: Bool
        let isUnknown: Bool

        init(_ name: String, _ exchange: Link.Exchange, inTransaction: Bool, failure: Bool = true, unknown: Bool) {
            self.name = name
            self.exchange = exchange
            isOpen = inTransaction
            isFailure = failure
            isUnknown = unknown
        }
    }

    private static func losses() -> [Loss] {
        let effect = Link.Step.effect(statement)
        func lost(_ steps: (Link.Step, Link.Outcome)...) -> Link.Exchange { exchange(steps, loss: hangUp) }
        func ended(_ steps: (Link.Step, Link.Outcome)...) -> Link.Exchange { exchange(steps, loss: shutdown) }
        func endedAfter(_ steps: (Link.Step, Link.Outcome)...) -> Link.Exchange {
            exchange(steps, loss: shutdown, syncFailure: shutdown)
        }
        return [
            Loss("unanswered", lost((effect, .unanswered)), inTransaction: false, unknown: true),
            Loss("answered, the Sync not", lost((effect, .succeeded)), inTransaction: false, unknown: true),
            Loss("answered, then ended", endedAfter((effect, .succeeded)), inTransaction: false, unknown: true),
            Loss("refused", lost((effect, .failed(refusal))), inTransaction: false, unknown: false),
            Loss("refused, then ended", endedAfter((effect, .failed(refusal))), inTransaction: false, unknown: false),
            Loss("ended", ended((effect, .failed(shutdown))), inTransaction: false, unknown: true),
            Loss("within", lost((effect, .unanswered)), inTransaction: true, unknown: false),
            Loss("ended within", ended((effect, .failed(shutdown))), inTransaction: true, unknown: false),
            Loss(
                "COMMIT unanswered",
                lost((effect, .succeeded), (.commit, .unanswered)),
                inTransaction: true,
                unknown: true
            ),
            Loss(
                "BEGIN and COMMIT unanswered",
                lost((.control, .unanswered), (.commit, .unanswered)),
                inTransaction: true,
                unknown: true
            ),
            Loss("COMMIT ended", ended((.commit, .failed(shutdown))), inTransaction: true, unknown: true),
            Loss(
                "ended before the COMMIT was answered",
                ended((effect, .failed(shutdown)), (.commit, .unanswered)),
                inTransaction: true,
                unknown: true
            ),
            Loss("COMMIT answered", lost((.commit, .succeeded)), inTransaction: true, failure: false, unknown: false),
            Loss(
                "COMMIT answered, then ended",
                endedAfter((effect, .succeeded), (.commit, .succeeded)),
                inTransaction: true,
                failure: false,
                unknown: false
            ),
            Loss("COMMIT that was a ROLLBACK", lost((.commit, .rolledBack)), inTransaction: true, unknown: false),
            Loss(
                "refused before the COMMIT",
                lost((effect, .failed(refusal)), (.commit, .unanswered)),
                inTransaction: true,
                unknown: false
            ),
        ]
    }

    @Test("with a lost connection, is unknown just where a commit may have happened, and success where it was answered")
    func lost() {
        for loss in Self.losses() {
            let verdict = ExchangeVerdict(loss.exchange, isTransactionOpen: loss.isOpen)
            #expect(verdict.loss != nil, "\(loss.name)")
            #expect((verdict.failure != nil) == loss.isFailure, "\(loss.name)")
            #expect((verdict.failure?.outcomeUnknown ?? false) == loss.isUnknown, "\(loss.name)")
        }
    }

    @Test("without a loss, is the first refusal, wherever it came")
    func refused() {
        let effect = Link.Step.effect(Self.statement)
        let first = Self.exchange([(effect, .failed(Self.refusal)), (effect, .skipped), (.commit, .skipped)])
        #expect(ExchangeVerdict(first, isTransactionOpen: true).failure == Self.refusal)
        #expect(!ExchangeVerdict(first, isTransactionOpen: true).endsTransaction)
        let late = Self.exchange([(effect, .succeeded)], syncFailure: Self.refusal)
        #expect(ExchangeVerdict(late, isTransactionOpen: false).failure == Self.refusal)
        let commit = Self.exchange([(.commit, .failed(Self.refusal))])
        #expect(ExchangeVerdict(commit, isTransactionOpen: true).failure == Self.refusal)
        #expect(ExchangeVerdict(commit, isTransactionOpen: true).endsTransaction)
        let aborted = Self.exchange([(.commit, .rolledBack)])
        #expect(ExchangeVerdict(aborted, isTransactionOpen: true).failure?.code == .transactionAborted)
    }

    @Test("is a cancel only when we asked for one")
    func cancelled() {
        let canceled = PostgresError(.server, sqlState: .queryCanceled, severity: .error)
        for isCancelSent in [false, true] {
            let exchange = Self.exchange(
                [(.effect(Self.statement), .failed(canceled))],
                isCancelSent: isCancelSent
            )
            let verdict = ExchangeVerdict(exchange, isTransactionOpen: false)
            #expect(verdict.failure?.code == (isCancelSent ? .cancelled : .server))
            #expect(verdict.loss == nil)
        }
    }

    @Test("is unknown when the server itself says that it does not know, and a commit was asked for")
    func serverDoesNotKnow() {
        let unknown = PostgresError(.server, sqlState: .statementCompletionUnknown, severity: .error)
        let exchange = Self.exchange([(.commit, .failed(unknown))])
        #expect(ExchangeVerdict(exchange, isTransactionOpen: true).failure?.outcomeUnknown == true)
        let within = Self.exchange([(.effect(Self.statement), .failed(unknown))])
        #expect(ExchangeVerdict(within, isTransactionOpen: true).failure?.outcomeUnknown == false)
    }

    @Test("throws a read-only connection away and passes its refusal on")
    func readOnly() {
        let readOnly = PostgresError(.server, sqlState: .readOnlyTransaction, severity: .error)
        let exchange = Self.exchange([(.effect(Self.statement), .failed(readOnly))])
        let verdict = ExchangeVerdict(exchange, isTransactionOpen: true)
        #expect(verdict.failure == readOnly)
        #expect(verdict.loss == readOnly)
    }
}

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
