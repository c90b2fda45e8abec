/// What went wrong with a connection, a statement or a value.
///
/// It carries codes and names of the schema, never data: of a message of the server (it may quote values) only names, no
/// DETAIL, no parameter, of the connection string the address and the name of the database only.
package struct PostgresError: Error, Sendable, Hashable {
    package enum Code: String, Sendable, Hashable, CaseIterable {
        /// The connection string or a setting cannot be used. Nothing was tried.
        case invalidConfiguration
        /// No connection could be made; nothing of the caller's was sent.
        case connectFailed
        /// The connection broke, or its state became unknown, and was thrown away.
        case connectionLost
        /// The server refused the statement; `sqlState` says why. The statement had no effect.
        case server
        /// The caller's task was cancelled, or `cancel()` was called. The statement had no effect.
        case cancelled
        /// The transaction could not be committed because an earlier statement of it had failed. It had no effect.
        case transactionAborted
        /// A result has no such column, or the column holds another type, or a null.
        case decoding
        /// A parameter that PostgreSQL cannot take. Nothing was sent.
        case invalidParameter
        /// No connection of the pool became free within the wait timeout.
        case waitTimedOut
        /// The pool or the connection has been closed.
        case closed
        /// A call that the driver cannot serve: a transaction within a transaction, COPY, BEGIN as a plain statement.
        case misuse
    }

    package enum Severity: String, Sendable, Hashable {
        case error = "ERROR"
        case fatal = "FATAL"
        case panic = "PANIC"
    }

    package let code: Code
    /// The condition, where the server named one.
    package var sqlState: SQLState?
    package var severity: Severity?
    /// The violated constraint (a name of the schema).
    package var constraintName: String?
    /// Where no connection could be made: `127.0.0.1:5432, database payments`.
    package var server: String?
    /// What else may be said in words that are fixed in this driver or are names of the schema.
    package var reason: String?
    /// The statements may have been committed, or may not: the answer was lost. Read back before doing anything else.
    package var outcomeUnknown: Bool

    init(
        _ code: Code,
        reason: String? = nil,
        sqlState: SQLState? = nil,
        severity: Severity? = nil,
        constraintName: String? = nil,
        outcomeUnknown: Bool = false
    ) {
        self.code = code
        self.reason = reason
        self.sqlState = sqlState
        self.severity = severity
        self.constraintName = constraintName
        self.outcomeUnknown = outcomeUnknown
    }
}

extension PostgresError: CustomStringConvertible {
    package var description: String {
        var text = code == .connectFailed ? "cannot connect" : code.rawValue
        if let sqlState {
            text += " \(sqlState)"
            if let name = sqlState.conditionName { text += " \(name)" }
        }
        if let server { text += " to \(server)" }
        if let constraintName { text += " on constraint \(constraintName)" }
        if let reason { text += ": \(reason)" }
        if outcomeUnknown { text += " (outcome unknown)" }
        return text
    }
}

extension PostgresError {
    package var isUniqueViolation: Bool { sqlState == .uniqueViolation }
    package var isForeignKeyViolation: Bool { sqlState == .foreignKeyViolation }
    package var isCheckViolation: Bool { sqlState == .checkViolation }
    package var isNotNullViolation: Bool { sqlState == .notNullViolation }
    package var isSerializationFailure: Bool { sqlState == .serializationFailure }
    package var isDeadlockDetected: Bool { sqlState == .deadlockDetected }
    package var isLockNotAvailable: Bool { sqlState == .lockNotAvailable }
    /// A statement timeout, or a cancel that was not ours (ours is the code `cancelled`).
    package var isQueryCanceled: Bool { sqlState == .queryCanceled }
    package var isReadOnlyTransaction: Bool { sqlState == .readOnlyTransaction }
    package var isAdminShutdown: Bool { sqlState == .adminShutdown }
    /// The server did not accept the user or the password.
    package var isAuthenticationFailure: Bool { sqlState?.conditionClass == "28" }

    /// The same call may be made again and may then succeed.
    ///
    /// Never with `outcomeUnknown`: there, what happened must be read back first.
    package var isRetriable: Bool {
        guard !outcomeUnknown else { return false }
        return switch code {
        case .connectFailed, .connectionLost, .waitTimedOut: true
        case .server: sqlState?.isTransient ?? false
        case .invalidConfiguration, .cancelled, .transactionAborted, .decoding, .invalidParameter, .closed, .misuse:
            false
        }
    }

    /// After this answer the connection must not be used again.
    var endsConnection: Bool {
        code == .connectionLost || severity == .fatal || severity == .panic || sqlState?.endsConnection ?? false
    }
}

extension SQLState {
    /// The condition lies in the moment and not in the statement: concurrency, resources, a server going away.
    package var isTransient: Bool {
        switch conditionClass {
        case "08", "53": true
        case "40": self != "40002"
        default: Self.transient.contains(self)
        }
    }

    /// The server is going away, or is one that cannot be written to: `target_session_attrs` picks only at connect.
    var endsConnection: Bool {
        conditionClass == "08" || Self.ending.contains(self)
    }

    /// The server itself does not know whether the statement or transaction took effect.
    var leavesOutcomeUnknown: Bool {
        self == .transactionResolutionUnknown || self == .statementCompletionUnknown
    }

    private static let transient: Set<SQLState> = [
        .readOnlyTransaction, .idleInTransactionTimeout, .lockNotAvailable, .queryCanceled, .adminShutdown,
        .crashShutdown, .cannotConnectNow, .idleSessionTimeout,
    ]

    private static let ending: Set<SQLState> = [
        .readOnlyTransaction, .idleInTransactionTimeout, .adminShutdown, .crashShutdown, .cannotConnectNow,
        .databaseDropped, .idleSessionTimeout,
    ]
}
