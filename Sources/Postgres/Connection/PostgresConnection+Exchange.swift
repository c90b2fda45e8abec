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

/// What the answers to one Sync amount to. Pure, so that its table can be tested without a server.
struct ExchangeVerdict {
    /// What is known of the commit that was asked for, by COMMIT or, without a transaction, by the Sync.
    private enum Commit {
        case notAsked
        case done
        case refused
        case unknown
    }

    /// The error to throw.
    private(set) var failure: PostgresError?
    /// The session must be thrown away, for this reason. There may be no `failure` with it: all was answered.
    private(set) var loss: PostgresError?
    /// A COMMIT was executed or refused, so that no transaction is open any more.
    private(set) var endsTransaction = false

    /// Without an open transaction (no BEGIN) the Sync itself commits.
    init(_ exchange: Link.Exchange, isTransactionOpen: Bool) {
        loss = exchange.loss
        // After an ordinary refusal nothing is executed up to the Sync. One that ends the session says nothing of what
        // was executed before it.
        let refusals = exchange.outcomes.compactMap(\.failure) + [exchange.syncFailure].compactMap { $0 }
        let refusal = refusals.first { !$0.endsSession }
        let commit = Self.commit(exchange, isTransactionOpen: isTransactionOpen, isRefused: refusal != nil)
        endsTransaction = exchange.hasExecutedCommit
        guard commit != .done else { return }
        if let refusal {
            failure = Self.explained(refusal, exchange, isCommitAsked: commit != .notAsked)
            if refusal.endsConnection, loss == nil { loss = refusal }
        } else if let lost = exchange.loss {
            failure = Self.explained(lost, isUnknown: commit == .unknown)
        } else if commit == .refused {
            failure = PostgresError(.transactionAborted)
        }
    }

    private static func commit(_ exchange: Link.Exchange, isTransactionOpen: Bool, isRefused: Bool) -> Commit {
        for (step, outcome) in zip(exchange.steps, exchange.outcomes) {
            guard case .commit = step else { continue }
            return switch outcome {
            case .succeeded: .done
            case .rolledBack, .skipped: .refused
            case .failed, .unanswered, .rows: isRefused ? .refused : .unknown
            }
        }
        guard !isTransactionOpen else { return .notAsked }
        if isRefused { return .refused }
        return exchange.isSynchronized ? .done : .unknown
    }

    private static func explained(
        _ refusal: PostgresError,
        _ exchange: Link.Exchange,
        isCommitAsked: Bool
    ) -> PostgresError {
        if exchange.isCancelSent, refusal.sqlState == .queryCanceled {
            return PostgresError(.cancelled, sqlState: refusal.sqlState, severity: refusal.severity)
        }
        var error = refusal
        error.outcomeUnknown = isCommitAsked && refusal.sqlState?.leavesOutcomeUnknown ?? false
        return error
    }

    private static func explained(_ loss: PostgresError, isUnknown: Bool) -> PostgresError {
        PostgresError(
            loss.code == .misuse ? .misuse : .connectionLost,
            reason: loss.reason,
            sqlState: loss.sqlState,
            severity: loss.severity,
            outcomeUnknown: isUnknown
        )
    }
}

extension Link.Outcome {
    fileprivate var failure: PostgresError? {
        if case .failed(let error) = self { error } else { nil }
    }
}

extension Link.Exchange {
    /// The server has executed a COMMIT: as such, as a ROLLBACK, or with an ordinary refusal (a deferred constraint).
    fileprivate var hasExecutedCommit: Bool {
        zip(steps, outcomes).contains { step, outcome in
            guard case .commit = step else { return false }
            return switch outcome {
            case .succeeded, .rolledBack: true
            case .failed(let error): !error.endsSession
            case .skipped, .unanswered, .rows: false
            }
        }
    }
}
