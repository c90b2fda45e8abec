import Core
import Postgres

/// The commands that wait on some payments, in one transaction: as they were read, as the decisions leave them, and what of that is
/// to be written.
struct WaitingLines: Sendable {
    private var lines: [PaymentID: [WaitingCommand]] = [:]
    private var added: [Command] = []
    private var removed: [Command] = []
    private var closed: [Command] = []
    private var seen: [Command] = []

    /// - Parameter rows: of `statement(_:)`.
    init(_ rows: PostgresResult) throws(PostgresError) {
        for row in rows {
            let waiting = WaitingCommand(
                merchantID: MerchantID(verified: try row.text(1)),
                idempotencyKey: IdempotencyKey(verified: try row.text(2)),
                kind: try row.parsed(3, OperationKind.init(rawValue:)),
                messageID: try row.text(4),
                position: try row.int64(5)
            )
            lines[PaymentID(UniqueID(try row.uuid(0))), default: []].append(waiting)
        }
    }

    /// Without those that have an operation: it holds their payment, or has been decided. A place can be written after that, by a process
    /// that has given its deliveries back, or whose answer was late.
    static func statement(_ payments: [PaymentID]) -> PostgresStatement {
        PostgresStatement(
            """
            SELECT payment_id, merchant_id, idempotency_key, kind, message_id, position FROM waiting_commands w
            WHERE payment_id = ANY ($1::uuid[]) AND NOT EXISTS (
                SELECT FROM operations o
                WHERE o.merchant_id = w.merchant_id AND o.idempotency_key = w.idempotency_key
            )
            """,
            [.uuidArray(payments.map { PostgresUUID($0.value) })]
        )
    }

    subscript(payment: PaymentID) -> [WaitingCommand] { lines[payment] ?? [] }

    mutating func apply(_ registration: ClaimDecision.Registration, _ command: Command) {
        switch registration {
        case .unchanged:
            if self[command.paymentID].contains(where: { $0.isOf(command) }) { seen.append(command) }
        case .add:
            removed.removeAll { command.isSame(as: $0) }
            added.append(command)
            // Behind all that were read: a number that the database has assigned is never as large.
            let position = Int64.max / 2 + Int64(added.count)
            lines[command.paymentID, default: []].append(WaitingCommand(command, position: position))
        case .remove:
            added.removeAll { command.isSame(as: $0) }
            removed.append(command)
            lines[command.paymentID]?.removeAll { $0.isOf(command) }
        case .removeAllCopies:
            added.removeAll { command.hasKey(of: $0) }
            closed.append(command)
            lines[command.paymentID]?.removeAll { $0.hasKey(of: command) }
        }
    }

    /// Sends the statements along with the COMMIT.
    func write(on connection: isolated PostgresConnection) throws(PostgresError) {
        try Self.add(added, on: connection)
        try touch(on: connection)
        try delete(removed, withCopies: false, on: connection)
        try delete(closed, withCopies: true, on: connection)
    }

    private func delete(
        _ commands: [Command],
        withCopies: Bool,
        on connection: isolated PostgresConnection
    ) throws(PostgresError) {
        if commands.isEmpty { return }
        try connection.enqueue(
            """
            DELETE FROM waiting_commands w USING unnest($1::uuid[], $2::text[], $3::text[], $4::text[])
                AS n (payment_id, merchant_id, idempotency_key, message_id)
            WHERE w.payment_id = n.payment_id AND w.merchant_id = n.merchant_id AND w.idempotency_key = n.idempotency_key
                AND ($5 OR w.message_id = n.message_id)
            """,
            Self.keys(commands) + [.bool(withCopies)]
        )
    }

    /// In their order; one that has a place keeps it, and one that has an operation needs none.
    static func add(_ commands: [Command], on connection: isolated PostgresConnection) throws(PostgresError) {
        if commands.isEmpty { return }
        var known: [Command] = []
        for command in commands where !known.contains(where: command.isSame) { known.append(command) }
        try connection.enqueue(
            """
            INSERT INTO waiting_commands (payment_id, merchant_id, idempotency_key, message_id, kind, arrived_at, seen_at)
            SELECT payment_id, merchant_id, idempotency_key, message_id, kind, clock_timestamp(), clock_timestamp()
            FROM unnest($1::uuid[], $2::text[], $3::text[], $4::text[], $5::text[]) WITH ORDINALITY
                AS n (payment_id, merchant_id, idempotency_key, message_id, kind, ordinality)
            WHERE NOT EXISTS (
                SELECT FROM operations o
                WHERE o.merchant_id = n.merchant_id AND o.idempotency_key = n.idempotency_key
            )
            ORDER BY ordinality
            ON CONFLICT (payment_id, merchant_id, idempotency_key, message_id) DO UPDATE SET seen_at = excluded.seen_at
            """,
            keys(known) + [.textArray(known.map(\.kind.rawValue))]
        )
    }

    private func touch(on connection: isolated PostgresConnection) throws(PostgresError) {
        if seen.isEmpty { return }
        try connection.enqueue(
            """
            UPDATE waiting_commands w SET seen_at = clock_timestamp()
            FROM unnest($1::uuid[], $2::text[], $3::text[], $4::text[])
                AS n (payment_id, merchant_id, idempotency_key, message_id)
            WHERE w.payment_id = n.payment_id AND w.merchant_id = n.merchant_id AND w.idempotency_key = n.idempotency_key
                AND w.message_id = n.message_id
            """,
            Self.keys(seen)
        )
    }

    private static func keys(_ commands: [Command]) -> [PostgresValue] {
        [
            .uuidArray(commands.map { PostgresUUID($0.paymentID.value) }),
            .textArray(commands.map(\.merchantID.description)),
            .textArray(commands.map(\.idempotencyKey.description)),
            .textArray(commands.map(\.messageID)),
        ]
    }
}

extension Command {
    /// The same merchant's key on the same payment.
    fileprivate func hasKey(of other: Command) -> Bool {
        paymentID == other.paymentID && merchantID == other.merchantID && idempotencyKey == other.idempotencyKey
    }

    /// Whether the two share a place: they are one message.
    fileprivate func isSame(as other: Command) -> Bool {
        hasKey(of: other) && messageID.utf8.elementsEqual(other.messageID.utf8)
    }
}
