import Core
import Postgres

/// The table `members`, on the connection of the watch: a sign of life waits for no other work.
struct PostgresMemberStore: MemberStore {
    let pool: PostgresPool

    /// Rows older than that many timeouts go: whoever comes back writes a new one.
    private static let keptTimeouts = 6

    private static let columns = "id, version, started_at, last_seen, subscribed"

    func renewMember(
        _ id: String,
        version: String,
        subscribed: Set<Int>,
        timeout: Duration
    ) async throws(StoreError) -> [Member] {
        try await pool.storeTransaction { connection throws(PostgresError) in
            _ = try connection.execute(
                """
                INSERT INTO members (id, version, started_at, last_seen, subscribed)
                VALUES ($1, $2, clock_timestamp(), clock_timestamp(), $3)
                ON CONFLICT (id) DO UPDATE SET last_seen = excluded.last_seen, subscribed = excluded.subscribed
                """,
                [.text(id), .text(version), .int4Array(subscribed.sorted().map { Int32($0) })]
            )
            _ = try connection.execute(
                "DELETE FROM members WHERE abs(extract(epoch FROM clock_timestamp() - last_seen)) > $1 / 1000000.0",
                [.int8(timeout.microseconds * Int64(Self.keptTimeouts))]
            )
            return try Self.members(timeout, connection)
        }
    }

    func removeMember(_ id: String) async throws(StoreError) {
        try await pool.storeTransaction { connection throws(PostgresError) in
            _ = try connection.execute("DELETE FROM members WHERE id = $1", [.text(id)])
        }
    }

    func members(timeout: Duration) async throws(StoreError) -> [Member] {
        try await pool.storeTransaction { connection throws(PostgresError) in try Self.members(timeout, connection) }
    }

    /// A sign that is to come was given before the clock was set back.
    private static func members(
        _ timeout: Duration,
        _ connection: isolated PostgresConnection
    ) throws(PostgresError) -> [Member] {
        let rows = try connection.execute(
            """
            SELECT \(columns) FROM members
            WHERE abs(extract(epoch FROM clock_timestamp() - last_seen)) < $1 / 1000000.0 ORDER BY started_at, id
            """,
            [.int8(timeout.microseconds)]
        )
        var members: [Member] = []
        for row in rows {
            members.append(
                Member(
                    id: try row.text(0),
                    version: try row.text(1),
                    startedAt: Timestamp(microseconds: try row.timestamp(2)),
                    lastSeen: Timestamp(microseconds: try row.timestamp(3)),
                    subscribed: Set(try row.int32Array(4).compactMap { $0.map(Int.init) })
                )
            )
        }
        return members
    }
}
