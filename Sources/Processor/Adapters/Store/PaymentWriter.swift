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
