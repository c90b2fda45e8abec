import Core
import TestSupport
import Testing

extension World {
    /// Runs a sweep in a process of its own, and gives what it printed.
    func sweep(_ job: String, _ options: String..., with changes: [String: String] = [:]) async throws -> JSONValue {
        let result = try await command(["sweeps", "run", job, "--json"] + options, changes)
        #expect(result.exit == .status(0), "\(result.errors)")
        #expect(result.output.split(separator: "\n").count == 1)
        return try JSONParser.parse(Array(result.output.utf8))
    }

    /// Starts a processor, and waits until the sweeps of its start are over: the next ones are a week away.
    @discardableResult
    func startQuietProcessor(_ changes: [String: String] = [:]) async throws -> ProcessorProcess {
        let processor = try await startProcessor(nil, changes)
        try await eventually("the sweeps of the start were over") {
            try await database.number("SELECT count(*) FROM sweep_runs WHERE finished_at IS NOT NULL") >= 3
        }
        return processor
    }

    /// Waits for the first check of what is stuck, and lets the second one come at once.
    func checkAgainSoon() async throws {
        try await eventually("it was checked") {
            try await database.number("SELECT coalesce(max(checks), 0) FROM open_operations") > 0
        }
        try await database.execute("UPDATE open_operations SET due_at = now()")
    }

    /// Puts captures of so many authorized payments into the state in which a dead processor leaves them, as if their deliveries
    /// were gone.
    ///
    /// - Parameter isKnown: whether the bank knows their authorizations; what it does not know nobody can resolve.
    func makeStuckCaptures(of payments: [String], isKnown: Bool = true) async throws {
        let list = payments.map { "'\($0)'" }.joined(separator: ",")
        try await database.execute(
            """
            WITH stuck AS (
                SELECT id AS payment_id, gen_random_uuid() AS id, version FROM payments WHERE id IN (\(list))
            ), held AS (
                UPDATE payments p SET status = 'CAPTURING', active_operation_id = s.id, version = p.version + 1
                    \(isKnown ? "" : ", bank_authorization_id = 'auth_' || gen_random_uuid()")
                FROM stuck s WHERE p.id = s.payment_id
            ), noted AS (
                INSERT INTO payment_history (
                    payment_id, version, at, cause, from_status, to_status, operation, operation_id)
                SELECT payment_id, version + 1, now(), 'capture claimed', 'AUTHORIZED', 'CAPTURING', 'capture', id FROM stuck
            )
            INSERT INTO operations (
                merchant_id, idempotency_key, id, kind, payment_id, fingerprint, bank_key, reply_to, correlation_id, origin,
                created_at, first_sent_at, state, fencing_token, lease_until, claim_token, attempts, ambiguous_sends)
            SELECT 'default', 'stuck-' || payment_id, id, 'capture', payment_id, decode(repeat('ab', 32), 'hex'),
                'op_' || id, '\(upstream.replyQueue)', 'stuck-' || payment_id, 'AUTHORIZED',
                now(), now(), 'SENT', 1, now() - interval '1 second', gen_random_uuid(), 1, 0
            FROM stuck
            """
        )
    }

    /// So many payments that are authorized, by way of a processor that runs.
    func authorizedPayments(_ count: Int) async throws -> [String] {
        let commands = (0..<count).map { _ in TestCommand.authorize(amount: 100) }
        try await send(commands)
        _ = try await upstream.finalReplies(to: commands)
        return commands.map(\.paymentID)
    }
}
