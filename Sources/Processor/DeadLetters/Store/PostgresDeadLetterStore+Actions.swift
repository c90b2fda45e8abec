import Core
import Postgres

extension PostgresDeadLetterStore: DeadLetterActions {
    func beginReplay(
        _ id: DeadLetterID,
        by actor: String,
        _ claim: ReplayClaim
    ) async throws(StoreError) -> ReplayStep {
        try await pool.storeTransaction { connection throws(PostgresError) in
            guard let (deadLetter, now) = try Self.locked(id, on: connection) else { return .skip(.notFound) }
            let operation = try Self.lockedOperation(of: deadLetter, on: connection)
            let decision = ReplayDecision(deadLetter, operation: operation, claim: claim, now: now)
            if let reopened = decision.reopened { try OperationOpening.reopen(reopened, on: connection) }
            if let deadLetter = decision.deadLetter {
                try connection.enqueue(DeadLetterRow.progress, DeadLetterRow.progressParameters(of: deadLetter))
                try Self.audit(id, actor, "replay", "started", nil, on: connection)
                // Answered by its replay from now on; given up again, it is noted again.
                try AwaitedReplies.remove(deadLetter, on: connection)
            }
            return decision.step
        }
    }

    func endReplay(
        _ id: DeadLetterID,
        by actor: String,
        _ claim: ReplayClaim,
        _ end: ReplayEnd
    ) async throws(StoreError) -> Bool {
        try await pool.storeTransaction { connection throws(PostgresError) in
            guard let (deadLetter, now) = try Self.locked(id, on: connection), deadLetter.isClaimed(by: claim) else {
                return false
            }
            let ended = end.applied(to: deadLetter, at: now)
            try connection.enqueue(DeadLetterRow.progress, DeadLetterRow.progressParameters(of: ended))
            try Self.audit(id, actor, "replay", end.name, end.reason, on: connection)
            if ended.state.isClosed { try Self.noteErasure(of: deadLetter, by: actor, on: connection) }
            return true
        }
    }

    func discard(_ id: DeadLetterID, by actor: String, reason: String) async throws(StoreError) -> DiscardOutcome {
        try await pool.storeTransaction { connection throws(PostgresError) in
            guard let (stored, now) = try Self.locked(id, on: connection) else { return .notFound }
            let deadLetter = stored.seen(at: now)
            let operation = try Self.ownOperation(of: deadLetter, on: connection)
            let outcome = DiscardOutcome(discarding: deadLetter, operation: operation)
            guard case .discarded = outcome else { return outcome }
            if deadLetter.isAnswered(by: operation) { try AwaitedReplies.add(deadLetter, on: connection) }
            try connection.enqueue(
                """
                UPDATE dead_letters SET state = 'discarded', closed_at = clock_timestamp(), sealed_card = NULL
                WHERE id = $1
                """,
                [.uuid(PostgresUUID(id.value))]
            )
            try Self.audit(id, actor, "discard", "discarded", reason, on: connection)
            try Self.noteErasure(of: deadLetter, by: actor, on: connection)
            return outcome
        }
    }

    /// What has been closed has no sealed card any more.
    private static func noteErasure(
        of deadLetter: DeadLetter,
        by actor: String,
        on connection: isolated PostgresConnection
    ) throws(PostgresError) {
        guard deadLetter.content.sealedCard != nil else { return }
        let (action, result) = (SealedCardErasure.action, SealedCardErasure.result)
        let reason = SealedCardErasure.closed.rawValue
        try audit(deadLetter.id, actor, action, result, reason, on: connection)
    }

    /// As it is, without a lock.
    static func ownOperation(
        of deadLetter: DeadLetter,
        on connection: isolated PostgresConnection
    ) throws(PostgresError) -> Operation? {
        guard let payment = deadLetter.command.paymentID, let merchant = deadLetter.command.merchantID,
            let key = deadLetter.command.idempotencyKey, let kind = deadLetter.command.kind
        else { return nil }
        let rows = try connection.execute(
            """
            SELECT \(OperationRow.columns) FROM operations o
            WHERE o.merchant_id = $1 AND o.idempotency_key = $2 AND o.payment_id = $3 AND o.kind = $4
            """,
            [
                .text(merchant.description), .text(key.description), .uuid(PostgresUUID(payment.value)),
                .text(kind.rawValue),
            ]
        )
        guard let row = rows.first else { return nil }
        return try OperationRow.operation(from: row)
    }

    /// As it is written, and what the clock says now that nobody else can change it.
    private static func locked(
        _ id: DeadLetterID,
        on connection: isolated PostgresConnection
    ) throws(PostgresError) -> (DeadLetter, now: Timestamp)? {
        let rows = try connection.execute(
            "SELECT \(DeadLetterRow.columns) FROM dead_letters WHERE id = $1 FOR NO KEY UPDATE",
            [.uuid(PostgresUUID(id.value))]
        )
        guard let row = rows.first else { return nil }
        return (try DeadLetterRow.stored(from: row), try DeadLetterRow.clock(of: row))
    }

    /// With its payment, which every transaction locks first.
    private static func lockedOperation(
        of deadLetter: DeadLetter,
        on connection: isolated PostgresConnection
    ) throws(PostgresError) -> Operation? {
        guard deadLetter.command.paymentID != nil, let merchant = deadLetter.command.merchantID,
            let key = deadLetter.command.idempotencyKey
        else { return nil }
        try connection.enqueue(OperationOpening.paymentLock, [deadLetter.paymentParameter])
        let rows = try connection.execute(
            """
            SELECT \(OperationRow.columns) FROM operations o
            WHERE o.merchant_id = $1 AND o.idempotency_key = $2 FOR UPDATE
            """,
            [.text(merchant.description), .text(key.description)]
        )
        guard let row = rows.first else { return nil }
        return try OperationRow.operation(from: row)
    }

    /// Under the lock on the dead letter's row, so that positions follow one another.
    private static func audit(
        _ id: DeadLetterID,
        _ actor: String,
        _ action: String,
        _ result: String,
        _ reason: String?,
        on connection: isolated PostgresConnection
    ) throws(PostgresError) {
        try connection.enqueue(
            """
            INSERT INTO dead_letter_audit (dead_letter_id, position, at, actor, action, result, reason)
            SELECT $1, coalesce(max(position), 0) + 1, clock_timestamp(), $2, $3, $4, $5
            FROM dead_letter_audit WHERE dead_letter_id = $1
            """,
            [
                .uuid(PostgresUUID(id.value)), .text(actor), .text(action), .text(result),
                .optional(reason, PostgresValue.text),
            ]
        )
    }
}
