import Core
import Postgres

extension StoreError {
    /// - Parameters:
    ///   - error: of the driver. Its description holds no data, so it may be kept.
    ///   - purpose: what was being done: "claiming operations".
    init(_ error: PostgresError, while purpose: String? = nil) {
        let code: Code
        switch error.code {
        case .decoding: code = .unreadable
        case .server where error.isUniqueViolation && error.constraintName == "bank_effects_bank_id":
            code = .bankIDTaken
        case .server where !error.isRetriable, .invalidParameter, .misuse, .transactionAborted: code = .refused
        case .server, .invalidConfiguration, .connectFailed, .connectionLost, .cancelled, .waitTimedOut, .closed:
            code = .unavailable
        }
        self.init(
            code,
            detail: (purpose.map { "\($0): " } ?? "") + error.description,
            outcomeUnknown: error.outcomeUnknown,
            isAnswered: error.code == .server
        )
    }
}

extension PostgresPool {
    /// A transaction whose failure is reported in the words of the port.
    func storeTransaction<Value: Sendable>(
        _ mode: PostgresTransactionMode = .readCommitted,
        _ work: @escaping @Sendable (isolated PostgresConnection) throws(PostgresError) -> Value
    ) async throws(StoreError) -> Value {
        do throws(PostgresError) {
            return try await transaction(mode, work)
        } catch {
            throw StoreError(error)
        }
    }
}

extension PostgresUUID {
    init(_ id: UniqueID) {
        self.init(high: id.high, low: id.low)
    }
}

extension UniqueID {
    init(_ uuid: PostgresUUID) {
        self.init(high: uuid.high, low: uuid.low)
    }
}
