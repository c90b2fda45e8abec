import Core
import Postgres

/// The results of one transaction. Each is written only while its fencing token still holds.
struct ResultBatch: Sendable {
    private let results: [OperationResult]

    init(_ results: [OperationResult]) {
        self.results = results
    }

    /// The endings of one transaction: notes of what was reported travel with the results of others.
    static func run(
        _ endings: [OperationEnding],
        _ room: OutboxRoom,
        on connection: isolated PostgresConnection
    ) throws(PostgresError) -> [CompletionOutcome] {
        let (results, notes) = (endings.compactMap(\.result), endings.compactMap(\.notified))
        if results.isEmpty, !notes.contains(where: \.isUndeliverable) {
            // Nobody waits for the disk: a note that a crash of the server loses costs a second telling, nothing else.
            try connection.enqueue("SET LOCAL synchronous_commit = off")
        }
        var outcomes = try ResultBatch(results).run(on: connection).makeIterator()
        // After the locks on payments, which every transaction takes before it touches an operation.
        try NotificationWriter(notes).write(on: connection, hasRoom: room.isLeft)
        return endings.map { ending in ending.result == nil ? .completed : outcomes.next() ?? .superseded }
    }

    /// The outcome of each, in order.
    func run(on connection: isolated PostgresConnection) throws(PostgresError) -> [CompletionOutcome] {
        if results.isEmpty { return [] }
        let rows = try connection.execute([paymentLocks, operationUpdate])
        var written: Set<Int> = []
        for row in rows[1] { written.insert(Int(try row.int64(0)) - 1) }
        let fresh = results.indices.filter { written.contains($0) }.map { results[$0] }
        try PaymentWriter(fresh).write(on: connection)
        try OutboxWriter(fresh.flatMap(\.outbox)).write(on: connection)
        try AwaitedReplies.remove(
            fresh.filter(\.isAnsweredByOutbox).map {
                ($0.operation.route, $0.operation.merchantID, $0.operation.idempotencyKey)
            },
            on: connection
        )
        try OrphanWriter(fresh).write(on: connection)
        try AttemptWriter(fresh).write(on: connection)
        for result in fresh {
            if let text = result.note { try note(text, of: result.operation, on: connection) }
        }
        var outcomes: [CompletionOutcome] = []
        for (index, result) in results.enumerated() {
            var isOurs = written.contains(index)
            if !isOurs { isOurs = try isWrittenAlready(result, on: connection) }
            outcomes.append(isOurs ? .completed : try refuse(result, on: connection))
        }
        return outcomes
    }

    /// In the order of their ids, as every transaction does.
    private var paymentLocks: PostgresStatement {
        PostgresStatement(
            "SELECT 1 FROM payments WHERE id = ANY ($1::uuid[]) ORDER BY id FOR UPDATE",
            [.uuidArray(results.map { PostgresUUID($0.operation.paymentID.value) })]
        )
    }

    /// Returns the positions of those whose fencing token still held. One that rests is its last holder's still, for a
    /// late answer.
    private var operationUpdate: PostgresStatement {
        let operations = results.map(\.operation)
        return PostgresStatement(
            """
            UPDATE operations o
            SET state = n.state, last_error = n.last_error, ambiguous_sends = n.ambiguous_sends,
                failed_sends = n.failed_sends, attempts = n.attempts, reply = n.reply,
                completed_at = CASE WHEN n.reply IS NOT NULL THEN clock_timestamp() END,
                notified_at = CASE WHEN n.is_notified THEN clock_timestamp() END,
                lease_until = CASE WHEN n.state = 'UNKNOWN' THEN clock_timestamp() + n.rest * interval '1 microsecond'
                              ELSE o.lease_until END
            FROM unnest(
                $1::text[], $2::text[], $3::uuid[], $4::bigint[], $5::text[], $6::text[], $7::integer[], $8::bytea[],
                $9::bigint[], $10::boolean[], $11::integer[], $12::integer[]
            ) WITH ORDINALITY AS n (
                merchant_id, idempotency_key, id, fencing_token, state, last_error, ambiguous_sends, reply, rest, is_notified,
                failed_sends, attempts, position
            )
            WHERE o.merchant_id = n.merchant_id AND o.idempotency_key = n.idempotency_key AND o.id = n.id
                AND o.fencing_token = n.fencing_token AND o.state IN ('SENT', 'UNKNOWN')
            RETURNING n.position
            """,
            [
                .textArray(operations.map(\.merchantID.description)),
                .textArray(operations.map(\.idempotencyKey.description)),
                .uuidArray(operations.map { PostgresUUID($0.id.value) }),
                .int8Array(operations.map(\.fencingToken)),
                .textArray(operations.map(\.state.rawValue)),
                .textArray(operations.map(\.lastError)),
                .int4Array(operations.map { Int32($0.sends.unanswered) }),
                .bytesArray(operations.map(\.reply)),
                .int8Array(results.map(\.rest.microseconds)),
                .boolArray(operations.map(\.isNotified)),
                .int4Array(operations.map { Int32($0.sends.failed) }),
                .int4Array(operations.map { Int32($0.attempts) }),
            ]
        )
    }

    /// Our own earlier commit, whose answer was lost (docs/correctness.md#unknown-commit): the same fencing token, and
    /// the same end.
    private func isWrittenAlready(
        _ result: OperationResult,
        on connection: isolated PostgresConnection
    ) throws(PostgresError) -> Bool {
        let operation = result.operation
        let rows = try connection.execute(
            """
            SELECT 1 FROM operations
            WHERE merchant_id = $1 AND idempotency_key = $2 AND id = $3 AND fencing_token = $4 AND state = $5
                AND reply IS NOT DISTINCT FROM $6
            """,
            [
                .text(operation.merchantID.description), .text(operation.idempotencyKey.description),
                .uuid(PostgresUUID(operation.id.value)), .int8(operation.fencingToken), .text(operation.state.rawValue),
                .optional(operation.reply, PostgresValue.bytes),
            ]
        )
        return !rows.isEmpty
    }

    /// What an attempt learnt that holds the operation no longer.
    private func refuse(
        _ result: OperationResult,
        on connection: isolated PostgresConnection
    ) throws(PostgresError) -> CompletionOutcome {
        let operation = result.operation
        let rows = try connection.execute(
            "SELECT \(PaymentRow.columns) FROM payments WHERE id = $1",
            [.uuid(PostgresUUID(operation.paymentID.value))]
        )
        guard let row = rows.first else { return .superseded }
        let (text, match) = result.refused(by: try PaymentRow.payment(from: row))
        try AttemptWriter([result]).write(on: connection)
        try note(text, of: operation, on: connection)
        if match == .stray {
            let (payment, id) = (PostgresUUID(operation.paymentID.value), PostgresUUID(operation.id.value))
            try OrphanWriter.noteStray(payment, id, on: connection)
        }
        if match == .undecided, let hold = result.hold {
            try UnmatchedAuthorizations.add(hold, of: operation, on: connection)
        }
        return match == .stray ? .stray : .superseded
    }

    /// What a refused completion learnt is kept (docs/correctness.md#takeover), as a step that changed nothing.
    private func note(
        _ text: String,
        of operation: Operation,
        on connection: isolated PostgresConnection
    ) throws(PostgresError) {
        try connection.enqueue(
            """
            INSERT INTO payment_history (payment_id, at, from_status, to_status, operation, cause, operation_id)
            SELECT id, clock_timestamp(), status, status, $2, $3, $4 FROM payments WHERE id = $1
            """,
            [
                .uuid(PostgresUUID(operation.paymentID.value)), .text(operation.kind.rawValue), .text(text),
                .uuid(PostgresUUID(operation.id.value)),
            ]
        )
    }
}
