import Core
import Postgres

/// Runs a batch in one transaction, and its items one by one where the batch as a whole is refused: a bad row must not fail its
/// neighbours.
struct BatchRunner: Sendable {
    let pool: PostgresPool
    let purpose: StoreWork
    /// Gets the end of each transaction that decides about its items.
    let report: @Sendable (StoreReport) -> Void

    typealias Work<Item, Answer> = @Sendable (isolated PostgresConnection, [Item]) throws(PostgresError) -> [Answer]

    /// Deadlocks and conflicts are tried again at once, this often.
    private static let tries = 5

    func run<Item: WorkOfCommand, Answer: Sendable>(
        _ items: [Item],
        _ work: @escaping Work<Item, Answer>
    ) async -> [Result<Answer, StoreError>] {
        do throws(StoreError) {
            return try await transaction(items, work).map(Result.success)
        } catch  where error.code == .unavailable || items.count == 1 {
            return items.map { _ in .failure(error) }
        } catch {
            var results: [Result<Answer, StoreError>] = []
            for item in items { results += await run([item], work) }
            return results
        }
    }

    private func transaction<Item: WorkOfCommand, Answer: Sendable>(
        _ items: [Item],
        _ work: @escaping Work<Item, Answer>
    ) async throws(StoreError) -> [Answer] {
        for _ in 0..<Self.tries {
            do throws(PostgresError) {
                let answers = try await pool.transaction { connection throws(PostgresError) in
                    try work(connection, items)
                }
                report(.done(purpose))
                return answers
            } catch  where error.isConflict {
                continue
            } catch {
                let failure = StoreError(error, while: purpose.rawValue)
                // A batch that is refused says nothing about its items: each is tried alone.
                if failure.code == .unavailable || items.count == 1 {
                    report(.failed(purpose, Set(items.map(\.subject)), failure))
                }
                throw failure
            }
        }
        throw StoreError(.unavailable, detail: "conflict")
    }
}

extension PostgresError {
    /// Others wrote the same rows at the same moment: everything was rolled back, and is decided anew on what they left.
    fileprivate var isConflict: Bool {
        isDeadlockDetected || isSerializationFailure
            || isUniqueViolation && ["payments_pkey", "operations_pkey"].contains(constraintName)
    }
}

/// How a transaction has ended.
enum StoreReport: Sendable {
    case done(StoreWork)
    /// With the commands that it was about.
    case failed(StoreWork, Set<StoredCommand>, StoreError)
}

/// What a batch is for, in words for those who read of its failure.
enum StoreWork: String, Sendable, CaseIterable {
    case claims = "claiming operations"
    case registrations = "noting waiting commands"
    case endings = "writing results"
}
