import Core
import Postgres

/// Writes what results proved about their payments: the row, the bank's effect, the step of the history.
struct PaymentWriter: Sendable {
    private let proven: [(result: OperationResult, payment: Payment)]

    init(_ results: [OperationResult]) {
        proven = results.compactMap { result in result.payment.map { (result, $0) } }
    }

    func write(on connection: isolated PostgresConnection) throws(PostgresError) {
        if proven.isEmpty { return }
        try updatePayments(on: connection)
        try insertEffects(on: connection)
        let steps = proven.compactMap { entry in
            entry.result.transition.map { (transition: $0, operation: entry.result.operation.id) }
        }
        try HistoryWriter(steps).write(on: connection)
    }

    private func updatePayments(on connection: isolated PostgresConnection) throws(PostgresError) {
        let payments = proven.map(\.payment)
        try connection.enqueue(
            """
            UPDATE payments p
            SET status = n.status, active_operation_id = n.active_operation_id, version = n.version,
                bank_authorization_id = n.authorization_id, bank_capture_id = n.capture_id, bank_void_id = n.void_id,
                bank_refund_id = n.refund_id, authorized_at = n.authorized_at, expires_at = n.expires_at,
                captured_at = n.captured_at, voided_at = n.voided_at, refunded_at = n.refunded_at
            FROM unnest(
                $1::uuid[], $2::text[], $3::uuid[], $4::bigint[], $5::text[], $6::text[], $7::text[], $8::text[],
                $9::timestamptz[], $10::timestamptz[], $11::timestamptz[], $12::timestamptz[], $13::timestamptz[]
            ) AS n (
                id, status, active_operation_id, version, authorization_id, capture_id, void_id, refund_id, authorized_at, expires_at,
                captured_at, voided_at, refunded_at
            )
            WHERE p.id = n.id
            """,
            [
                .uuidArray(payments.map { PostgresUUID($0.id.value) }),
                .textArray(payments.map(\.status.rawValue)),
                .uuidArray(payments.map { $0.activeOperation.map { PostgresUUID($0.value) } }),
                .int8Array(payments.map(\.version)),
                .textArray(payments.map(\.bank.authorizationID)),
                .textArray(payments.map(\.bank.captureID)),
                .textArray(payments.map(\.bank.voidID)),
                .textArray(payments.map(\.bank.refundID)),
                .timestampArray(payments.map { $0.authorizedAt?.microseconds }),
                .timestampArray(payments.map { $0.expiresAt?.microseconds }),
                .timestampArray(payments.map { $0.capturedAt?.microseconds }),
                .timestampArray(payments.map { $0.voidedAt?.microseconds }),
                .timestampArray(payments.map { $0.refundedAt?.microseconds }),
            ]
        )
    }

    /// A bank id that is taken, or a second effect of one kind, breaks a constraint: this result is refused, loudly.
    private func insertEffects(on connection: isolated PostgresConnection) throws(PostgresError) {
        let effects = proven.filter { $0.result.operation.state == .succeeded }
        if effects.isEmpty { return }
        try connection.enqueue(
            """
            INSERT INTO bank_effects (payment_id, kind, bank_id, operation_id, next_check_at)
            SELECT * FROM unnest($1::uuid[], $2::text[], $3::text[], $4::uuid[], $5::timestamptz[])
            """,
            [
                .uuidArray(effects.map { PostgresUUID($0.payment.id.value) }),
                .textArray(effects.map(\.result.operation.kind.rawValue)),
                .textArray(effects.map { $0.payment.bank.reference(of: $0.result.operation.kind) }),
                .uuidArray(effects.map { PostgresUUID($0.result.operation.id.value) }),
                // When the expiring sweep has to check it.
                .timestampArray(
                    effects.map { effect in
                        effect.result.operation.kind == .authorize ? effect.payment.expiresAt?.microseconds : nil
                    }
                ),
            ]
        )
    }
}

extension BankReferences {
    fileprivate func reference(of kind: OperationKind) -> String? {
        switch kind {
        case .authorize: authorizationID
        case .capture: captureID
        case .void: voidID
        case .refund: refundID
        }
    }
}

/// Appends to the history of payments, at the time of the transaction.
struct HistoryWriter: Sendable {
    private let steps: [(transition: Transition, operation: OperationID)]

    init(_ steps: [(transition: Transition, operation: OperationID)]) {
        self.steps = steps
    }

    func write(on connection: isolated PostgresConnection) throws(PostgresError) {
        if steps.isEmpty { return }
        try connection.enqueue(
            """
            INSERT INTO payment_history (payment_id, version, from_status, to_status, operation, cause, operation_id, at)
            SELECT *, clock_timestamp() FROM unnest(
                $1::uuid[], $2::bigint[], $3::text[], $4::text[], $5::text[], $6::text[], $7::uuid[]
            )
            """,
            [
                .uuidArray(steps.map { PostgresUUID($0.transition.paymentID.value) }),
                .int8Array(steps.map(\.transition.version)),
                .textArray(steps.map { $0.transition.from?.rawValue }),
                .textArray(steps.map(\.transition.to.rawValue)),
                .textArray(steps.map(\.transition.operation.rawValue)),
                .textArray(steps.map(\.transition.cause)),
                .uuidArray(steps.map { PostgresUUID($0.operation.value) }),
            ]
        )
    }
}

/// Writes the requests to the bank that did not complete their operations: nothing at all for a command that was completed at once.
struct AttemptWriter: Sendable {
    private let attempts: [(attempt: UnfinishedAttempt, position: Int, operation: Operation)]

    init(_ results: [OperationResult]) {
        attempts = results.flatMap { result in
            result.attempts.enumerated().map { ($1, $0, result.operation) }
        }
    }

    func write(on connection: isolated PostgresConnection) throws(PostgresError) {
        if attempts.isEmpty { return }
        try connection.enqueue(
            """
            INSERT INTO operation_attempts
                (payment_id, operation_id, fencing_token, position, verdict, http_status, code, tier, at)
            SELECT payment_id, operation_id, fencing_token, position, verdict, http_status, code, tier,
                clock_timestamp() - age * interval '1 microsecond'
            FROM unnest(
                $1::uuid[], $2::uuid[], $3::bigint[], $4::integer[], $5::text[], $6::integer[], $7::text[], $8::text[],
                $9::bigint[]
            ) AS n (payment_id, operation_id, fencing_token, position, verdict, http_status, code, tier, age)
            ON CONFLICT DO NOTHING
            """,
            [
                .uuidArray(attempts.map { PostgresUUID($0.operation.paymentID.value) }),
                .uuidArray(attempts.map { PostgresUUID($0.operation.id.value) }),
                .int8Array(attempts.map(\.operation.fencingToken)),
                .int4Array(attempts.map { Int32($0.position) }),
                .textArray(attempts.map(\.attempt.verdict.rawValue)),
                .int4Array(attempts.map { $0.attempt.status.map(Int32.init) }),
                .textArray(attempts.map(\.attempt.code)),
                .textArray(attempts.map { $0.attempt.tier?.rawValue }),
                .int8Array(attempts.map { max($0.attempt.age, .zero).microseconds }),
            ]
        )
    }
}

/// Writes that a request was answered with a complete error after the process that had sent it was gone.
struct FailedRequestNote: Sendable {
    private let request: RequestOrigin

    init(_ request: RequestOrigin) {
        self.request = request
    }

    /// The payment is locked first, as in every transaction.
    func write(on connection: isolated PostgresConnection) throws(PostgresError) {
        let payment = PostgresValue.uuid(PostgresUUID(request.paymentID.value))
        _ = try connection.execute("SELECT 1 FROM payments WHERE id = $1 FOR UPDATE", [payment])
        _ = try connection.execute(
            """
            UPDATE operations SET failed_fencing_token = fencing_token
            WHERE payment_id = $1 AND id = $2 AND fencing_token = $3 AND state = 'SENT'
            """,
            [payment, .uuid(PostgresUUID(request.operationID.value)), .int8(request.fencingToken)]
        )
    }
}
