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
