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
