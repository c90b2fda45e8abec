/// What the answers to one Sync amount to. Pure, so that its table can be tested without a server.
struct ExchangeVerdict {
    /// The error to throw.
    private(set) var failure: PostgresError?
    /// The session must be thrown away, for this reason. There may be no `failure` with it: the COMMIT was answered.
    private(set) var loss: PostgresError?
    /// After these answers no transaction is open: a COMMIT was among the statements and was executed.
    private(set) var endsTransaction = false

    /// - Parameter isTransactionOpen: after a BEGIN; without one the Sync itself commits.
    init(_ exchange: Link.Exchange, isTransactionOpen: Bool) {
        var refusal: PostgresError?
        var isCommitSent = !isTransactionOpen
        var isCommitAnswered = exchange.isSynchronized && !isTransactionOpen
        for (step, outcome) in zip(exchange.steps, exchange.outcomes) {
            if case .commit = step { isCommitSent = true }
            switch (step, outcome) {
            case (.commit, .succeeded):
                isCommitAnswered = true
                endsTransaction = true
            case (.commit, .rolledBack):
                isCommitAnswered = true
                endsTransaction = true
                refusal = refusal ?? PostgresError(.transactionAborted)
            case (.commit, .failed(let error)):
                endsTransaction = !error.endsSession
                refusal = refusal ?? error
            case (_, .failed(let error)):
                refusal = refusal ?? error
            default:
                break
            }
        }
        // Scripts have outcomes without steps.
        if refusal == nil, exchange.steps.isEmpty {
            for case .failed(let error) in exchange.outcomes where refusal == nil { refusal = error }
        }
        refusal = refusal ?? exchange.syncFailure
        failure = refusal
        if var error = refusal {
            if exchange.isCancelSent, error.sqlState == .queryCanceled {
                error = PostgresError(.cancelled, sqlState: error.sqlState, severity: error.severity)
            }
            if error.sqlState?.leavesOutcomeUnknown ?? false { error.outcomeUnknown = isCommitSent }
            failure = error
            if error.endsConnection { loss = error }
        }
        guard let lost = exchange.loss else { return }
        loss = lost
        guard lost.code != .misuse else {
            failure = lost
            return
        }
        if let refusal, !refusal.endsSession {
            // An ordinary refusal came first: nothing behind it was executed, no COMMIT either.
            return
        }
        guard !(isCommitAnswered && failure == nil) else { return }
        failure = PostgresError(
            .connectionLost,
            reason: lost.sqlState == nil ? lost.reason : nil,
            sqlState: lost.sqlState,
            severity: lost.severity,
            outcomeUnknown: isCommitSent && !isCommitAnswered
        )
    }
}
