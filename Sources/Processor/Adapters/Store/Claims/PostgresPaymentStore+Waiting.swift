import Core
import Postgres

extension PostgresPaymentStore {
    func register(_ command: Command) async throws(StoreError) {
        try await registrations.submitWhileWanted(command)
    }

    /// By the connection of the claims, with the locks that writing takes, and with a row in a table of theirs.
    func checkAvailability() async throws(StoreError) {
        try await claimPool.storeTransaction { connection throws(PostgresError) in
            _ = try connection.execute(
                "LOCK TABLE payments, operations, payment_history, waiting_commands IN ROW EXCLUSIVE MODE"
            )
            let nobody = PostgresValue.uuid(PostgresUUID(high: 0, low: 0))
            _ = try connection.execute(
                """
                INSERT INTO waiting_commands
                    (payment_id, merchant_id, idempotency_key, message_id, kind, arrived_at, seen_at)
                VALUES ($1, '', '', gen_random_uuid()::text, 'authorize', clock_timestamp(), clock_timestamp())
                """,
                [nobody]
            )
            // No merchant is called so; a payment may be.
            _ = try connection.execute(
                "DELETE FROM waiting_commands WHERE payment_id = $1 AND merchant_id = ''",
                [nobody]
            )
        }
    }

    func line(before command: Command) async throws(StoreError) -> LineMark? {
        try await sweeps.storeTransaction { connection throws(PostgresError) in
            LineMark(try Self.places(before: command, locked: false, on: connection))
        }
    }

    func withdraw(_ command: Command, behind line: LineMark?) async throws(StoreError) {
        try await sweeps.storeTransaction { connection throws(PostgresError) in
            let payment = PostgresValue.uuid(PostgresUUID(command.paymentID.value))
            if let line {
                // As every claim does first: none decides meanwhile by a place that goes.
                try connection.enqueue("SELECT 1 FROM payments WHERE id = $1 FOR UPDATE", [payment])
                let places = try Self.places(before: command, locked: true, on: connection)
                if LineMark(places) == line {
                    try connection.enqueue(
                        "DELETE FROM waiting_commands WHERE payment_id = $1 AND position = ANY ($2::bigint[])",
                        [payment, .int8Array(places.map(\.position))]
                    )
                }
            }
            _ = try connection.execute(
                """
                DELETE FROM waiting_commands
                WHERE payment_id = $1 AND merchant_id = $2 AND idempotency_key = $3 AND message_id = $4
                """,
                [
                    payment, .text(command.merchantID.description), .text(command.idempotencyKey.description),
                    .text(command.messageID),
                ]
            )
        }
    }

    func awaitReply(to command: Command) async throws(StoreError) {
        try await sweeps.storeTransaction { connection throws(PostgresError) in
            try AwaitedReplies.add(command.route, command.merchantID, command.idempotencyKey, on: connection)
        }
    }

    private static func places(
        before command: Command,
        locked: Bool,
        on connection: isolated PostgresConnection
    ) throws(PostgresError) -> [(position: Int64, seenAt: Timestamp)] {
        let rows = try connection.execute(
            """
            SELECT position, (extract(epoch FROM seen_at) * 1000000)::bigint FROM waiting_commands w
            WHERE payment_id = $1 AND merchant_id = $2 AND idempotency_key <> $3 AND NOT EXISTS (
                SELECT FROM waiting_commands own
                WHERE own.payment_id = $1 AND own.merchant_id = $2 AND own.idempotency_key = $3
                    AND own.position < w.position
            )
            ORDER BY position\(locked ? " FOR UPDATE OF w" : "")
            """,
            [
                .uuid(PostgresUUID(command.paymentID.value)), .text(command.merchantID.description),
                .text(command.idempotencyKey.description),
            ]
        )
        var places: [(position: Int64, seenAt: Timestamp)] = []
        for row in rows { places.append((try row.int64(0), Timestamp(microseconds: try row.int64(1)))) }
        return places
    }
}

extension PostgresPaymentStore: BankStatusStore {
    /// There is one bank; its row has a name so that there can be more.
    private static let bank = "bank"

    func bankStatus() async throws(StoreError) -> BankStatus? {
        try await sweeps.storeTransaction { connection throws(PostgresError) in
            let rows = try connection.execute(
                """
                SELECT is_unavailable, cause, (extract(epoch FROM clock_timestamp() - updated_at) * 1000000)::bigint
                FROM bank_status WHERE bank = $1
                """,
                [.text(Self.bank)]
            )
            guard let row = rows.first else { return nil }
            return BankStatus(
                isUnavailable: try row.bool(0),
                cause: try row.optionalText(1),
                age: .microseconds(try row.int64(2))
            )
        }
    }

    func recordBankStatus(isUnavailable: Bool, cause: String?) async throws(StoreError) {
        try await sweeps.storeTransaction { connection throws(PostgresError) in
            _ = try connection.execute(
                """
                INSERT INTO bank_status (bank, is_unavailable, cause, updated_at) VALUES ($1, $2, $3, clock_timestamp())
                ON CONFLICT (bank) DO UPDATE
                SET is_unavailable = excluded.is_unavailable, cause = excluded.cause, updated_at = excluded.updated_at
                """,
                [.text(Self.bank), .bool(isUnavailable), .optional(cause, PostgresValue.text)]
            )
        }
    }
}
