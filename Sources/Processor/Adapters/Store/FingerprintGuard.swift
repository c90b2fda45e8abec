import Core
import Postgres

/// Keeps a processor from starting with another `fingerprint.secret` than the database has seen: every honest duplicate would
/// be reported `idempotency_key_reused` (docs/contract.md#configuration).
struct FingerprintGuard: Sendable {
    let pool: PostgresPool

    /// The first processor writes the check value, every later one compares. One of a secret before gives way to the current one's.
    func accepts(_ fingerprinter: Fingerprinter) async throws(StoreError) -> Bool {
        let value = fingerprinter.checkValue
        return try await pool.storeTransaction { connection throws(PostgresError) in
            _ = try connection.execute(
                "INSERT INTO processor_facts (name, value) VALUES ('fingerprint.check', $1) ON CONFLICT DO NOTHING",
                [.bytes(value)]
            )
            let rows = try connection.execute(
                "SELECT value FROM processor_facts WHERE name = 'fingerprint.check' FOR UPDATE"
            )
            let known = try rows.single().bytes(0)
            if known == value { return true }
            guard fingerprinter.previousCheckValues.contains(known) else { return false }
            try connection.enqueue(
                "UPDATE processor_facts SET value = $1 WHERE name = 'fingerprint.check'",
                [.bytes(value)]
            )
            return true
        }
    }
}
