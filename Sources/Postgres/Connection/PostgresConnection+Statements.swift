extension PostgresConnection {
    /// Runs one statement, in one round trip, whether or not it is prepared already.
    ///
    /// Outside a transaction it is one of its own: with a lost connection, `outcomeUnknown` is true.
    ///
    /// - Throws: `server`, `connectionLost`, `cancelled`, `invalidParameter`, `closed`.
    package func execute(_ sql: String, _ parameters: [PostgresValue] = []) throws(PostgresError) -> PostgresResult {
        try queue(sql, parameters, wantsRows: true)
        return try exchange().last ?? PostgresResult.none
    }

    /// Runs several statements in one round trip. Outside a transaction they form one: all or nothing.
    ///
    /// - Returns: a result for each.
    /// - Throws: the failure of the first that failed; those behind it were not executed.
    package func execute(_ batch: [PostgresStatement]) throws(PostgresError) -> [PostgresResult] {
        guard !batch.isEmpty else { return [] }
        do throws(PostgresError) {
            for statement in batch { try queue(statement.sql, statement.parameters, wantsRows: true) }
        } catch  where error.code == .invalidParameter && transactionState == .none {
            // Those before it are queued and would be committed by the next Sync.
            lose(PostgresError(.connectionLost, reason: "a batch was given up"))
            throw error
        }
        return try exchange().suffix(batch.count)
    }

    /// Sends a statement with the next one that is executed, or with the COMMIT: it costs no round trip of its own.
    ///
    /// Its rows are dropped; its failure is thrown by what it is sent with, and the transaction has failed then. Only
    /// within a transaction.
    package func enqueue(_ sql: String, _ parameters: [PostgresValue] = []) throws(PostgresError) {
        guard transactionState != .none else {
            throw PostgresError(.misuse, reason: "enqueue is for transactions")
        }
        try queue(sql, parameters, wantsRows: false)
    }

    /// Runs several statements, without parameters, given as one text; outside a transaction they form one, unless the
    /// text has a BEGIN and COMMIT of its own. For migrations.
    ///
    /// - Parameter isBounded: false to wait for the answer as long as it takes.
    package func executeScript(_ sql: String, isBounded: Bool = true) throws(PostgresError) {
        guard !sql.utf8.contains(0) else { throw PostgresError(.invalidParameter, reason: "a null character in SQL") }
        let link = try readyLink()
        try beginIfPending(on: link)
        if !link.steps.isEmpty { _ = try exchange() }
        let exchange = link.runScript(sql, deadline: isBounded ? answerDeadline : nil, scope: scope)
        _ = try conclude(exchange, on: link)
    }

    /// Puts a statement behind those that are waiting to be sent. Nothing is waiting yet outside a transaction.
    private func queue(_ sql: String, _ parameters: [PostgresValue], wantsRows: Bool) throws(PostgresError) {
        guard !sql.utf8.contains(0) else { throw PostgresError(.invalidParameter, reason: "a null character in SQL") }
        let link = try readyLink()
        try link.encode(parameters)
        try beginIfPending(on: link)
        let statement = try prepared(sql, parameters, on: link)
        try orLose { () throws(PostgresError) in
            if link.pooling == .forgetsPrepared {
                try link.sendUnnamed(statement, wantsRows: wantsRows)
            } else {
                try link.sendPrepared(statement, wantsRows: wantsRows)
            }
        }
    }

    private func prepared(
        _ sql: String,
        _ parameters: [PostgresValue],
        on link: Link
    ) throws(PostgresError) -> PreparedStatement {
        if let statement = statements.find(sql, parameters) { return statement }
        let statement = statements.insert(sql, parameters)
        let discarded = statements.takeDiscarded()
        if link.pooling == .forgetsPrepared { return statement }
        try orLose { () throws(PostgresError) in
            // A pooler that keeps count of statements does so by their messages: it would not know of this.
            for name in discarded where link.pooling == .none {
                try link.send("DEALLOCATE \(name)", as: .removal(name: name))
            }
            try link.sendPrepare(statement)
        }
        return statement
    }

    /// Also sends the settings, where a transaction begins that a pooler may give to another session of the server.
    private func beginIfPending(on link: Link) throws(PostgresError) {
        guard transactionState != .open else { return }
        let isFirst = link.steps.isEmpty
        try orLose { () throws(PostgresError) in
            if case .pending(let begin) = transactionState { try link.send(begin, as: .control) }
            if isFirst, let settings = link.transactionSettings { try link.send(settings, as: .control) }
        }
        if transactionState != .none { transactionState = .open }
    }

    /// A send that fails leaves the link in an unknown state. What no Sync follows is not committed.
    func orLose(_ send: () throws(PostgresError) -> Void) throws(PostgresError) {
        do throws(PostgresError) {
            try send()
        } catch {
            lose(error)
            throw error
        }
    }
}

extension PostgresResult {
    static let none = PostgresResult(
        storage: Storage(shape: .empty, cells: [], bytes: []),
        count: 0,
        affectedRows: 0
    )
}

/// A statement with its parameters, `$1` and so on in the text.
///
/// The text is the key under which the connection keeps it prepared: values belong into the parameters.
package struct PostgresStatement: Sendable {
    package let sql: String
    package let parameters: [PostgresValue]

    package init(_ sql: String, _ parameters: [PostgresValue] = []) {
        self.sql = sql
        self.parameters = parameters
    }
}
