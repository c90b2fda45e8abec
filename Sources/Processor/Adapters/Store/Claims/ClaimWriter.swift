import Core
import Postgres

/// Writes what the claims of one transaction decided, one statement per table.
struct ClaimWriter: Sendable {
    private let newPayments: [Payment]
    private let movedPayments: [Payment]
    private let newOperations: [Operation]
    /// The ids of the messages that have begun them.
    private let messages: [String?]
    private let takenOperations: [Operation]
    private let history: HistoryWriter

    /// Rows are written in the order of their keys, so that two transactions that meet on some of them never wait for each other.
    ///
    /// - Parameter messages: the id of the message that has begun each new operation.
    init(_ writes: [ClaimDecision.Write], messages: [OperationID: String]) {
        newPayments = writes.filter(\.isNewPayment).compactMap(\.payment).sorted { $0.id < $1.id }
        movedPayments = writes.filter { !$0.isNewPayment }.compactMap(\.payment)
        newOperations = writes.filter(\.isNewOperation).map(\.operation).sorted {
            ($0.merchantID, $0.idempotencyKey) < ($1.merchantID, $1.idempotencyKey)
        }
        self.messages = newOperations.map { messages[$0.id] }
        takenOperations = writes.filter { !$0.isNewOperation }.map(\.operation)
        history = HistoryWriter(writes.compactMap { write in write.transition.map { ($0, write.operation.id) } })
    }

    /// Sends the statements along with the COMMIT.
    func write(on connection: isolated PostgresConnection) throws(PostgresError) {
        try insertPayments(on: connection)
        try insertOperations(on: connection)
        try movePayments(on: connection)
        try TakenOperations(takenOperations).write(on: connection)
        try history.write(on: connection)
    }

    private func insertPayments(on connection: isolated PostgresConnection) throws(PostgresError) {
        if newPayments.isEmpty { return }
        try connection.enqueue(
            """
            INSERT INTO payments
                (id, merchant_id, order_id, customer_id, amount, currency, status, active_operation_id, version, created_at)
            SELECT * FROM unnest(
                $1::uuid[], $2::text[], $3::text[], $4::text[], $5::bigint[], $6::text[], $7::text[], $8::uuid[],
                $9::bigint[], $10::timestamptz[]
            )
            """,
            [
                .uuidArray(newPayments.map { PostgresUUID($0.id.value) }),
                .textArray(newPayments.map(\.merchantID.description)),
                .textArray(newPayments.map(\.orderID)),
                .textArray(newPayments.map(\.customerID)),
                .int8Array(newPayments.map(\.amount.minorUnits)),
                .textArray(newPayments.map(\.amount.currency.rawValue)),
                .textArray(newPayments.map(\.status.rawValue)),
                .uuidArray(newPayments.map { $0.activeOperation.map { PostgresUUID($0.value) } }),
                .int8Array(newPayments.map(\.version)),
                .timestampArray(newPayments.map(\.createdAt.microseconds)),
            ]
        )
    }

    private func insertOperations(on connection: isolated PostgresConnection) throws(PostgresError) {
        if newOperations.isEmpty { return }
        try connection.enqueue(
            """
            INSERT INTO operations (
                merchant_id, idempotency_key, id, kind, payment_id, fingerprint, bank_key, reply_to, correlation_id,
                traceparent, origin, created_at, first_sent_at, state, fencing_token, lease_until, claim_token, attempts,
                ambiguous_sends, reply, failed_sends, correlation_bytes, reply_to_ignored, fingerprint_secret,
                message_id, message_slot, completed_at
            )
            SELECT *, CASE WHEN reply IS NOT NULL THEN created_at END FROM unnest(
                $1::text[], $2::text[], $3::uuid[], $4::text[], $5::uuid[], $6::bytea[], $7::text[], $8::text[], $9::text[],
                $10::text[], $11::text[], $12::timestamptz[], $13::timestamptz[], $14::text[], $15::bigint[],
                $16::timestamptz[], $17::uuid[], $18::integer[], $19::integer[], $20::bytea[], $21::integer[],
                $22::bytea[], $23::boolean[], $24::bigint[], $25::text[], $26::bigint[]
            ) AS n (
                merchant_id, idempotency_key, id, kind, payment_id, fingerprint, bank_key, reply_to, correlation_id,
                traceparent, origin, created_at, first_sent_at, state, fencing_token, lease_until, claim_token, attempts,
                ambiguous_sends, reply, failed_sends, correlation_bytes, reply_to_ignored, fingerprint_secret,
                message_id, message_slot
            )
            """,
            [
                .textArray(newOperations.map(\.merchantID.description)),
                .textArray(newOperations.map(\.idempotencyKey.description)),
                .uuidArray(newOperations.map { PostgresUUID($0.id.value) }),
                .textArray(newOperations.map(\.kind.rawValue)),
                .uuidArray(newOperations.map { PostgresUUID($0.paymentID.value) }),
                .bytesArray(newOperations.map(\.fingerprint.bytes)),
                .textArray(newOperations.map(\.bankKey)),
                .textArray(newOperations.map(\.route.replyTo)),
                .textArray(newOperations.map { $0.route.correlationID?.textColumn }),
                .textArray(newOperations.map(\.route.traceparent)),
                .textArray(newOperations.map { $0.origin?.rawValue }),
                .timestampArray(newOperations.map(\.createdAt.microseconds)),
                .timestampArray(newOperations.map { $0.firstSentAt?.microseconds }),
                .textArray(newOperations.map(\.state.rawValue)),
                .int8Array(newOperations.map(\.fencingToken)),
                .timestampArray(newOperations.map(\.leaseUntil.microseconds)),
                .uuidArray(newOperations.map { PostgresUUID($0.claimToken.value) }),
                .int4Array(newOperations.map { Int32($0.attempts) }),
                .int4Array(newOperations.map { Int32($0.sends.unanswered) }),
                .bytesArray(newOperations.map(\.reply)),
                .int4Array(newOperations.map { Int32($0.sends.failed) }),
                .bytesArray(newOperations.map { $0.route.correlationID?.bytesColumn }),
                .boolArray(newOperations.map(\.route.isReplyToIgnored)),
                .int8Array(newOperations.map { $0.fingerprint.secretID?.value }),
                .textArray(messages),
                .int8Array(
                    zip(newOperations, messages).map { operation, message in
                        message.map { MessageSlot(of: $0, at: operation.createdAt).value }
                    }
                ),
            ]
        )
    }

    /// Locked by this transaction since it looked: they are as they were.
    private func movePayments(on connection: isolated PostgresConnection) throws(PostgresError) {
        if movedPayments.isEmpty { return }
        try connection.enqueue(
            """
            UPDATE payments p SET status = n.status, active_operation_id = n.active_operation_id, version = n.version
            FROM unnest($1::uuid[], $2::text[], $3::uuid[], $4::bigint[]) AS n (id, status, active_operation_id, version)
            WHERE p.id = n.id
            """,
            [
                .uuidArray(movedPayments.map { PostgresUUID($0.id.value) }),
                .textArray(movedPayments.map(\.status.rawValue)),
                .uuidArray(movedPayments.map { $0.activeOperation.map { PostgresUUID($0.value) } }),
                .int8Array(movedPayments.map(\.version)),
            ]
        )
    }
}

/// Where an operation is found by the message that has begun it: the hour of its creation in front of a hash of the message's id.
///
/// An index over the ids themselves would have every command write to a random page of it. By the hour, all commands of an hour write to
/// the same few pages, whatever their ids are, and a look-up costs a step of the index for each hour that there is.
struct MessageSlot: Hashable, Sendable {
    let value: Int64

    private static let hour: Int64 = 3_600_000_000

    init(of messageID: String, at time: Timestamp) {
        value = (time.microseconds / Self.hour) << 32 | Self.hash(messageID)
    }

    /// The lower half: 32 bits of FNV-1a. Two ids may have the same, so the id itself is compared as well.
    static func hash(_ messageID: String) -> Int64 {
        var hash: UInt32 = 0x811c_9dc5
        for byte in messageID.utf8 { hash = (hash ^ UInt32(byte)) &* 0x0100_0193 }
        return Int64(hash)
    }

    /// The payments of the operations that a message has begun.
    ///
    /// - Parameters:
    ///   - message: the placeholder of its id.
    ///   - hash: that of its hash.
    static func payments(_ message: String, _ hash: String) -> String {
        """
        SELECT payment_id FROM operations
        WHERE message_id = \(message) AND message_slot = ANY (ARRAY(
            SELECT (hour << 32) | \(hash)::bigint FROM generate_series(
                (SELECT min(message_slot) >> 32 FROM operations), (SELECT max(message_slot) >> 32 FROM operations)
            ) AS hour
        ))
        """
    }
}
