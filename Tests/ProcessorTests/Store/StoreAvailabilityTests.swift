import Core
import Postgres
import Testing

@testable import Processor

@Suite("Whether the store takes what is written about commands", .timeLimit(.minutes(2)))
struct StoreAvailabilityTests {
    @Test("it does not while a table of theirs cannot be written, although others can")
    func tables() async throws {
        try await TestDatabase.with { pools in
            let store = PostgresPaymentStore(pools, fingerprinter: Fingerprinter(secret: Array("secret".utf8)))
            try await store.checkAvailability()
            for table in ["payments", "operations", "payment_history", "waiting_commands"] {
                _ = try await pools.queries.execute("ALTER TABLE \(table) RENAME TO away")
                await #expect(throws: StoreError.self, "\(table)") { try await store.checkAvailability() }
                try await store.recordBankStatus(isUnavailable: false, cause: nil)
                _ = try await pools.queries.execute("ALTER TABLE away RENAME TO \(table)")
                try await store.checkAvailability()
            }
            let left = try await pools.queries.execute("SELECT count(*) FROM waiting_commands").single().int64(0)
            #expect(left == 0)
        }
    }

    @Test("the question takes no place from a command, whatever its payment is called")
    func nobody() async throws {
        try await TestDatabase.with { pools in
            let store = PostgresPaymentStore(pools, fingerprinter: Fingerprinter(secret: Array("secret".utf8)))
            _ = try await pools.queries.execute(
                """
                INSERT INTO waiting_commands
                    (payment_id, merchant_id, idempotency_key, message_id, kind, arrived_at, seen_at)
                VALUES ('00000000-0000-0000-0000-000000000000', 'm', 'k', 'i', 'capture', now(), now())
                """
            )
            try await store.checkAvailability()
            let left = try await pools.queries.execute("SELECT count(*) FROM waiting_commands").single().int64(0)
            #expect(left == 1)
        }
    }

    @Test("who asks for a place is not held up longer than it wants to wait")
    func place() async throws {
        let (released, release) = AsyncStream<Void>.makeStream()
        let coalescer = Coalescer<Int, Int>(batchLimit: 8, flushLimit: 1) { items in
            for await _ in released {}
            return items.map { .success($0) }
        }
        let waiting = Task { () -> StoreError? in
            do throws(StoreError) {
                _ = try await coalescer.submitWhileWanted(1)
                return nil
            } catch {
                return error
            }
        }
        waiting.cancel()
        let error = await waiting.value
        #expect(error?.code == .unavailable && error?.outcomeUnknown == true)
        release.finish()
        #expect(try await coalescer.submitWhileWanted(2) == 2)
    }
}
