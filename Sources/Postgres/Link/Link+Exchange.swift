import CPostgres

extension Link {
    /// What has been queued, and so what is done with its answer.
    enum Step {
        /// BEGIN or ROLLBACK.
        case control
        case preparation(PreparedStatement)
        /// DEALLOCATE of the statement of this name.
        case removal(name: String)
        /// A statement whose rows are wanted.
        case rows(PreparedStatement)
        /// A statement that only has to succeed.
        case effect(PreparedStatement)
        case commit
    }

    enum Outcome {
        case succeeded
        case rows(PostgresResult)
        /// The COMMIT of a failed transaction.
        case rolledBack
        case failed(PostgresError)
        /// Not executed, because a statement before it had failed.
        case skipped
        /// The connection was lost before this was answered.
        case unanswered
    }

    struct Exchange {
        /// What had been queued.
        var steps: [Step] = []
        /// One for each step.
        var outcomes: [Outcome] = []
        /// A failure after all statements: a deferred constraint, when the Sync itself commits.
        var syncFailure: PostgresError?
        /// Not nil: the link must be thrown away.
        var loss: PostgresError?
        /// The Sync was answered, so that what it commits is committed, or `syncFailure` says why not.
        var isSynchronized = false
        var isCancelSent = false
    }

    /// Sends all that is queued, and a Sync, and waits for all answers.
    ///
    /// - Parameters:
    ///   - deadline: for all answers together; `nil` for none.
    ///   - scope: whose wish to cancel counts, besides `CancelSignal.ask`.
    ///   - isCancellable: false when neither counts.
    /// - Returns: what became of each statement.
    func synchronize(deadline: ContinuousClock.Instant?, scope: CancelScope?, isCancellable: Bool) -> Exchange {
        var exchange = Exchange(steps: takeSteps())
        signal.beginWaiting()
        defer { signal.endWaiting() }
        var wait = AnswerWait(
            link: self,
            deadline: deadline,
            scope: scope,
            isCancellable: isCancellable
        )
        if PQpipelineSync(handle) == 1, wait.flush() {
            collect(wait: &wait, into: &exchange)
        } else {
            exchange.loss = PostgresError(.connectionLost, reason: wait.reason)
        }
        exchange.isCancelSent = wait.isCancelSent
        while exchange.outcomes.count < exchange.steps.count { exchange.outcomes.append(.unanswered) }
        return exchange
    }

    private func collect(wait: inout AnswerWait, into exchange: inout Exchange) {
        let expected = exchange.steps
        var outcome: Outcome?
        var isNullRepeated = false
        while exchange.loss == nil {
            guard wait.untilResult() else {
                exchange.loss = PostgresError(.connectionLost, reason: wait.reason, sqlState: farewell)
                break
            }
            guard let result = PQgetResult(handle) else {
                // Ends one statement's results. Nothing but the answer to the Sync may follow the last.
                if exchange.outcomes.count < expected.count, let finished = outcome {
                    exchange.outcomes.append(finished)
                    outcome = nil
                    isNullRepeated = false
                } else if isNullRepeated {
                    exchange.loss = PostgresError(.connectionLost, reason: "answers out of step")
                } else {
                    isNullRepeated = true
                }
                continue
            }
            defer { PQclear(result) }
            isNullRepeated = false
            let isAfterLast = exchange.outcomes.count == expected.count
            switch PQresultStatus(result) {
            case PGRES_PIPELINE_SYNC:
                exchange.isSynchronized = isAfterLast
                if !isAfterLast { exchange.loss = PostgresError(.connectionLost, reason: "answers out of step") }
                return
            case PGRES_PIPELINE_ABORTED:
                outcome = .skipped
            case PGRES_COMMAND_OK, PGRES_TUPLES_OK, PGRES_EMPTY_QUERY:
                guard !isAfterLast else { continue }
                outcome = success(result, of: expected[exchange.outcomes.count])
            case PGRES_FATAL_ERROR:
                let failure = ResultReader.failure(result)
                if isAfterLast { exchange.syncFailure = failure } else { outcome = .failed(failure) }
                if failure.endsSession { exchange.loss = failure }
            default:
                exchange.loss = PostgresError(.misuse, reason: "COPY is not supported")
            }
        }
        if let outcome, exchange.outcomes.count < expected.count { exchange.outcomes.append(outcome) }
    }

    private func success(_ result: OpaquePointer, of step: Step) -> Outcome {
        switch step {
        case .control, .preparation, .removal, .effect: .succeeded
        case .commit: ResultReader.isCommit(result) ? .succeeded : .rolledBack
        case .rows(let statement): .rows(ResultReader.copy(result, for: statement))
        }
    }
}

extension PostgresError {
    /// The server hangs up after it, or libpq made it up because the server had gone.
    var endsSession: Bool {
        severity == .fatal || severity == .panic || sqlState == nil
    }
}

extension Link {
    /// Sends several statements as one message of the simple protocol. Nothing may be queued.
    ///
    /// - Returns: the first failure, and whether the link is lost.
    func runScript(_ sql: String, deadline: ContinuousClock.Instant?, scope: CancelScope?) -> Exchange {
        var exchange = Exchange()
        guard PQexitPipelineMode(handle) == 1, PQsendQuery(handle, sql) == 1 else {
            exchange.loss = PostgresError(.connectionLost, reason: "cannot send", sqlState: farewell)
            return exchange
        }
        signal.beginWaiting()
        defer { signal.endWaiting() }
        var wait = AnswerWait(
            link: self,
            deadline: deadline,
            scope: scope,
            isCancellable: true
        )
        _ = wait.flush()
        collectScript(wait: &wait, into: &exchange)
        exchange.isCancelSent = wait.isCancelSent
        if exchange.loss == nil {
            exchange.isSynchronized = true
            if PQenterPipelineMode(handle) != 1 {
                exchange.loss = PostgresError(.connectionLost, reason: "cannot enter pipeline mode")
            }
        }
        return exchange
    }

    private func collectScript(wait: inout AnswerWait, into exchange: inout Exchange) {
        while exchange.loss == nil {
            guard wait.untilResult() else {
                exchange.loss = PostgresError(.connectionLost, reason: wait.reason, sqlState: farewell)
                return
            }
            guard let result = PQgetResult(handle) else { return }
            defer { PQclear(result) }
            switch PQresultStatus(result) {
            case PGRES_COMMAND_OK, PGRES_TUPLES_OK, PGRES_EMPTY_QUERY:
                continue
            case PGRES_FATAL_ERROR:
                let failure = ResultReader.failure(result)
                exchange.outcomes.append(.failed(failure))
                if failure.endsSession { exchange.loss = failure }
            default:
                exchange.loss = PostgresError(.misuse, reason: "COPY is not supported")
            }
        }
    }
}
