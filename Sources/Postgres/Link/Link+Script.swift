import CPostgres

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
