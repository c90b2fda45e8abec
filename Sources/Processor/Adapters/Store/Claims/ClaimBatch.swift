import Core
import Postgres

/// The claims of one transaction: lock what they are about, decide each in turn on what the ones before it left, write it all.
struct ClaimBatch: Sendable {
    private struct Key: Hashable {
        let merchantID: MerchantID
        let idempotencyKey: IdempotencyKey
    }

    private let requests: [ClaimRequest]
    private let fingerprinter: Fingerprinter

    init(_ requests: [ClaimRequest], fingerprinter: Fingerprinter) {
        self.requests = requests
        self.fingerprinter = fingerprinter
    }

    /// The outcome of each, in order.
    ///
    /// - Throws: a unique violation of a primary key where another process wrote that key or payment meanwhile.
    func run(on connection: isolated PostgresConnection) throws(PostgresError) -> [ClaimOutcome] {
        // Payments first: their locks are what serializes commands of one payment across processes, and every transaction takes
        // them in the order of their ids. What is read after that is the latest there is.
        let rows = try connection.execute([paymentsUnderLock, operationsAndTime, waitingCommands])
        var payments = try payments(in: rows[0])
        var (operations, now) = try operations(in: rows[1])
        var lines = try WaitingLines(rows[2])
        var writes: [ClaimDecision.Write] = []
        var messages: [OperationID: String] = [:]
        var outcomes: [ClaimOutcome] = []
        for request in requests {
            let command = request.command
            let key = Key(merchantID: command.merchantID, idempotencyKey: command.idempotencyKey)
            let decision = ClaimDecision(
                request,
                existing: operations[key],
                payment: payments[command.paymentID],
                waiting: lines[command.paymentID],
                now: now,
                fingerprinter: fingerprinter
            )
            if let write = decision.write {
                operations[key] = write.operation
                if let payment = write.payment { payments[payment.id] = payment }
                writes.append(write)
                if write.isNewOperation { messages[write.operation.id] = command.messageID }
            }
            lines.apply(decision.registration, command)
            outcomes.append(decision.outcome)
        }
        try ClaimWriter(writes, messages: messages).write(on: connection)
        try lines.write(on: connection)
        return outcomes
    }

    private var paymentsUnderLock: PostgresStatement {
        PostgresStatement(
            "SELECT \(PaymentRow.columns) FROM payments WHERE id = ANY ($1::uuid[]) ORDER BY id FOR UPDATE",
            [.uuidArray(requests.map { PostgresUUID($0.command.paymentID.value) })]
        )
    }

    private var waitingCommands: PostgresStatement {
        WaitingLines.statement(requests.map(\.command.paymentID))
    }

    /// The clock is read with them: leases are judged by the database's time alone (docs/correctness.md#takeover).
    private var operationsAndTime: PostgresStatement {
        PostgresStatement(
            """
            SELECT clock_timestamp(), \(OperationRow.columns)
            FROM unnest($1::text[], $2::text[]) AS k (merchant_id, idempotency_key)
            LEFT JOIN operations o ON o.merchant_id = k.merchant_id AND o.idempotency_key = k.idempotency_key
            """,
            [
                .textArray(requests.map { $0.command.merchantID.description }),
                .textArray(requests.map { $0.command.idempotencyKey.description }),
            ]
        )
    }

    private func payments(in rows: PostgresResult) throws(PostgresError) -> [PaymentID: Payment] {
        var payments: [PaymentID: Payment] = [:]
        for row in rows {
            let payment = try PaymentRow.payment(from: row)
            payments[payment.id] = payment
        }
        return payments
    }

    private func operations(
        in rows: PostgresResult
    ) throws(PostgresError) -> (operations: [Key: Operation], now: Timestamp) {
        var operations: [Key: Operation] = [:]
        var now = Timestamp(microseconds: 0)
        for row in rows {
            now = max(now, Timestamp(microseconds: try row.timestamp(0)))
            if try row.isNull(1) { continue }
            let operation = try OperationRow.operation(from: row, at: 1)
            operations[Key(merchantID: operation.merchantID, idempotencyKey: operation.idempotencyKey)] = operation
        }
        return (operations, now)
    }
}
