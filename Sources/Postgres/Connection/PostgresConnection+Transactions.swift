extension PostgresConnection {
    /// Runs statements as one transaction: committed when `body` returns, rolled back when it throws.
    ///
    /// BEGIN goes out with the first statement, and COMMIT takes along what has been enqueued: a transaction of one
    /// `execute` and any number of `enqueue` is two round trips.
    ///
    /// - Throws: what `body` throws. Of the COMMIT: `transactionAborted` when `body` had swallowed a failure;
    ///   `connectionLost` with `outcomeUnknown` when its answer was lost.
    package func transaction<Value>(
        _ mode: PostgresTransactionMode = .readCommitted,
        _ body: (isolated PostgresConnection) throws(PostgresError) -> Value
    ) throws(PostgresError) -> Value {
        guard transactionState == .none else {
            throw PostgresError(.misuse, reason: "a transaction within a transaction")
        }
        _ = try readyLink()
        transactionState = .pending(begin: mode.begin)
        do throws(PostgresError) {
            let value = try body(self)
            try commit()
            transactionState = .none
            return value
        } catch {
            rollBack()
            transactionState = .none
            throw error
        }
    }

    private func commit() throws(PostgresError) {
        // No statement, no BEGIN, no COMMIT.
        guard transactionState == .open else { return }
        guard let link else { throw PostgresError(.connectionLost, reason: "lost within the transaction") }
        try orLose { () throws(PostgresError) in try link.send("COMMIT", as: .commit) }
        _ = try exchange(isCommit: true)
    }

    /// Leaves the session idle, or thrown away.
    private func rollBack() {
        guard transactionState == .open, let link else { return }
        // When a queued statement fails, the first ROLLBACK behind it is skipped with the rest of the pipeline.
        for _ in 0..<2 {
            guard !link.steps.isEmpty || !link.isIdle else { return }
            do throws(PostgresError) {
                try link.send("ROLLBACK", as: .control)
            } catch {
                lose(error)
                return
            }
            let exchange = link.synchronize(deadline: answerDeadline, scope: nil, isCancellable: false)
            keepBooks(exchange)
            if let loss = exchange.loss {
                lose(loss)
                return
            }
        }
        if !link.isIdle { lose(PostgresError(.connectionLost, reason: "cannot roll back")) }
    }
}

/// How a transaction sees the work of others, and whether it may write.
package struct PostgresTransactionMode: Sendable, Hashable {
    package enum Isolation: String, Sendable, Hashable {
        case readCommitted = "READ COMMITTED"
        case repeatableRead = "REPEATABLE READ"
        case serializable = "SERIALIZABLE"
    }

    package let isolation: Isolation
    package let isReadOnly: Bool

    package init(_ isolation: Isolation, isReadOnly: Bool = false) {
        self.isolation = isolation
        self.isReadOnly = isReadOnly
    }

    package static let readCommitted = PostgresTransactionMode(.readCommitted)
    package static let repeatableRead = PostgresTransactionMode(.repeatableRead)
    package static let serializable = PostgresTransactionMode(.serializable)
    /// Several reads of one state.
    package static let snapshot = PostgresTransactionMode(.repeatableRead, isReadOnly: true)

    /// The isolation is said outright, so that no default changes it; READ WRITE is not, for a server that is read-only
    /// by default is so because somebody took it out of service.
    var begin: String {
        "BEGIN ISOLATION LEVEL \(isolation.rawValue)\(isReadOnly ? " READ ONLY" : "")"
    }
}
