extension PostgresConnection {
    /// Sends what is queued and waits for the answers.
    ///
    /// - Returns: the results of those statements whose rows are wanted.
    func exchange(isCommit: Bool = false) throws(PostgresError) -> [PostgresResult] {
        guard let link else { throw PostgresError(.connectionLost) }
        // A cancel could meet a COMMIT that waits for its standby: it would then succeed, and not be durable.
        let exchange = link.synchronize(deadline: answerDeadline, scope: scope, isCancellable: !isCommit)
        return try conclude(exchange, on: link)
    }

    /// For the answers to what is sent now.
    var answerDeadline: ContinuousClock.Instant? { configuration.answerTimeout.map { .now + $0 } }

    /// Turns the answers into results or the one error to throw, and throws the session away where it must be.
    func conclude(_ exchange: Link.Exchange, on link: Link) throws(PostgresError) -> [PostgresResult] {
        keepBooks(exchange)
        let verdict = ExchangeVerdict(exchange, isTransactionOpen: transactionState == .open)
        if let loss = verdict.loss {
            lose(loss)
        } else if verdict.endsTransaction ? !link.isIdle : link.isInTransaction != (transactionState == .open) {
            let misuse = PostgresError(.misuse, reason: "a statement began or ended a transaction by itself")
            lose(misuse)
            throw verdict.failure ?? misuse
        }
        if let failure = verdict.failure { throw failure }
        return exchange.outcomes.compactMap { outcome in
            if case .rows(let result) = outcome { result } else { nil }
        }
    }

    /// What the server has now prepared, and what no longer.
    func keepBooks(_ exchange: Link.Exchange) {
        for (step, outcome) in zip(exchange.steps, exchange.outcomes) {
            switch (step, outcome) {
            case (_, .succeeded), (_, .rows): break
            case (.preparation(let statement), _): statements.forget(statement)
            case (.removal, .failed(let error)) where error.sqlState == .invalidStatementName: break
            case (.removal(let name), _): statements.returnDiscarded(name)
            case (.rows(let statement), .failed(let error)), (.effect(let statement), .failed(let error)):
                // "cached plan must not change result type": prepared anew, it works again.
                if error.sqlState == .featureNotSupported { statements.discard(statement) }
                if error.sqlState == .invalidStatementName { statements.forget(statement) }
            default: break
            }
        }
    }
}
