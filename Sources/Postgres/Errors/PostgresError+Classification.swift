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
