/// The five characters by which PostgreSQL names a condition (SQL standard, PostgreSQL manual appendix A).
package struct SQLState: Sendable, Hashable, CustomStringConvertible, ExpressibleByStringLiteral {
    package let code: String

    package init(stringLiteral code: StaticString) {
        self.code = code.description
    }

    /// `nil` unless these are five digits or capital letters, as the protocol promises.
    init?(_ text: some StringProtocol) {
        let isState = text.utf8.allSatisfy { (0x30...0x39).contains($0) || (0x41...0x5A).contains($0) }
        guard text.utf8.count == 5, isState else { return nil }
        code = String(text)
    }

    /// The first two characters, which name the class of the condition.
    package var conditionClass: Substring { code.prefix(2) }

    package var description: String { code }
}

extension SQLState {
    package static let connectionException: SQLState = "08000"
    package static let transactionResolutionUnknown: SQLState = "08007"
    package static let featureNotSupported: SQLState = "0A000"
    package static let readOnlyTransaction: SQLState = "25006"
    package static let failedTransaction: SQLState = "25P02"
    package static let idleInTransactionTimeout: SQLState = "25P03"
    package static let invalidStatementName: SQLState = "26000"
    package static let invalidPassword: SQLState = "28P01"
    package static let serializationFailure: SQLState = "40001"
    package static let statementCompletionUnknown: SQLState = "40003"
    package static let deadlockDetected: SQLState = "40P01"
    package static let notNullViolation: SQLState = "23502"
    package static let foreignKeyViolation: SQLState = "23503"
    package static let uniqueViolation: SQLState = "23505"
    package static let checkViolation: SQLState = "23514"
    package static let exclusionViolation: SQLState = "23P01"
    package static let undefinedSchema: SQLState = "3F000"
    package static let insufficientPrivilege: SQLState = "42501"
    package static let undefinedColumn: SQLState = "42703"
    package static let undefinedFunction: SQLState = "42883"
    package static let undefinedTable: SQLState = "42P01"
    package static let lockNotAvailable: SQLState = "55P03"
    package static let internalError: SQLState = "XX000"
    package static let queryCanceled: SQLState = "57014"
    package static let adminShutdown: SQLState = "57P01"
    package static let crashShutdown: SQLState = "57P02"
    package static let cannotConnectNow: SQLState = "57P03"
    package static let databaseDropped: SQLState = "57P04"
    package static let idleSessionTimeout: SQLState = "57P05"
}

extension SQLState {
    /// PostgreSQL's name for the condition, where it is one of the common ones.
    ///
    /// It stands in descriptions for the server's message, which may quote the caller's data.
    package var conditionName: String? { Self.conditionNames[code] }

    private static let conditionNames: [String: String] = [
        "08000": "connection_exception",
        "08003": "connection_does_not_exist",
        "08006": "connection_failure",
        "08007": "transaction_resolution_unknown",
        "08P01": "protocol_violation",
        "0A000": "feature_not_supported",
        "21000": "cardinality_violation",
        "22001": "string_data_right_truncation",
        "22003": "numeric_value_out_of_range",
        "22007": "invalid_datetime_format",
        "22008": "datetime_field_overflow",
        "22012": "division_by_zero",
        "22021": "character_not_in_repertoire",
        "22023": "invalid_parameter_value",
        "22P02": "invalid_text_representation",
        "22P03": "invalid_binary_representation",
        "23502": "not_null_violation",
        "23503": "foreign_key_violation",
        "23505": "unique_violation",
        "23514": "check_violation",
        "23P01": "exclusion_violation",
        "25001": "active_sql_transaction",
        "25006": "read_only_sql_transaction",
        "25P01": "no_active_sql_transaction",
        "25P02": "in_failed_sql_transaction",
        "25P03": "idle_in_transaction_session_timeout",
        "26000": "invalid_sql_statement_name",
        "28000": "invalid_authorization_specification",
        "28P01": "invalid_password",
        "3D000": "invalid_catalog_name",
        "3F000": "invalid_schema_name",
        "40001": "serialization_failure",
        "40003": "statement_completion_unknown",
        "40P01": "deadlock_detected",
        "42501": "insufficient_privilege",
        "42601": "syntax_error",
        "42703": "undefined_column",
        "42704": "undefined_object",
        "42804": "datatype_mismatch",
        "42883": "undefined_function",
        "42P01": "undefined_table",
        "42P07": "duplicate_table",
        "42P18": "indeterminate_datatype",
        "53100": "disk_full",
        "53200": "out_of_memory",
        "53300": "too_many_connections",
        "54000": "program_limit_exceeded",
        "55006": "object_in_use",
        "55P03": "lock_not_available",
        "57014": "query_canceled",
        "57P01": "admin_shutdown",
        "57P02": "crash_shutdown",
        "57P03": "cannot_connect_now",
        "57P04": "database_dropped",
        "57P05": "idle_session_timeout",
        "58030": "io_error",
        "P0001": "raise_exception",
        "XX000": "internal_error",
    ]
}
