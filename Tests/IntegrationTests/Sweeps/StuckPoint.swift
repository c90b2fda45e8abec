import AMQP
import Core
import TestSupport
import Testing

/// Where a processor dies between the claim of an operation and its reply.
enum StuckPoint: String, CaseIterable, Sendable {
    /// The claim is committed, and nothing has reached the bank.
    case beforeTheBank
    /// The bank has executed it, and its answer has not come.
    case beforeTheAnswer
    /// The answer has come, and its completion has not reached the database.
    case beforeTheResult
    /// The outcome is stored, and nobody has heard of it.
    case beforeTheReply

    /// Sends a command, lets the processor get to this point, kills it, and takes the delivery away, so that nothing but a sweep
    /// is left to finish the operation.
    ///
    /// - Parameter replyTo: where the reply is to go; `nil` for the queue of the world's upstream service.
    func leaveBehind(_ command: TestCommand, replyTo: String? = nil, in world: World) async throws {
        let bank = try TCPProxy(toPort: ServerURL(world.bank.url).port)
        let database = try TCPProxy(toPort: ServerURL(world.database.url).port)
        let broker = try TCPProxy(toPort: ServerURL(world.servers.amqpURL).port)
        defer { for proxy in [bank, database, broker] { proxy.stop() } }
        let processor = try await world.startProcessor(
            nil,
            [
                "BANK_URL": "http://127.0.0.1:\(bank.port)",
                "DATABASE_URL": ServerURL(world.database.url).through(database),
                "AMQP_URL": ServerURL(world.servers.amqpURL).through(broker),
                // Takes no part in what is tested.
                "SWEEPS_RECONCILE_PERIOD": "1h",
            ]
        )
        let before = try await world.bank.requests().count
        switch self {
        case .beforeTheBank: bank.setStalled(.toServer, true)
        case .beforeTheAnswer: try await world.bank.fault("timeout-after-execute", on: command.kind)
        case .beforeTheResult, .beforeTheReply:
            try await world.bank.fault("latency", on: command.kind, milliseconds: 500)
        }
        let message = command.message(replyTo: replyTo ?? world.upstream.replyQueue)
        try await world.upstream.publish(message, to: world.names.commandsExchange)
        let claimed = "SELECT count(*) FROM operations WHERE idempotency_key = '\(command.key)' AND state = 'SENT'"
        try await eventually("the command was claimed") { try await world.database.number(claimed) == 1 }
        switch self {
        case .beforeTheBank:
            break
        case .beforeTheAnswer:
            try await eventually("the bank had executed it") {
                try await world.bank.ledger().contains { $0.operation == command.kind.rawValue }
            }
        case .beforeTheResult:
            try await eventually("the bank had it") { try await world.bank.requests().count > before }
            database.setStalled(.toServer, true)
            try await eventually("the bank had answered") { try await world.bank.requests().last?.status == 200 }
        case .beforeTheReply:
            try await eventually("the bank had it") { try await world.bank.requests().count > before }
            broker.setStalled(.toServer, true)
            let completed = claimed.replacing("'SENT'", with: "'SUCCEEDED'")
            try await eventually("the outcome was stored") { try await world.database.number(completed) == 1 }
        }
        try await processor.child.crash()
        bank.cutConnections()
        broker.cutConnections()
        try await world.purgeCommands()
    }
}

extension World {
    /// Takes a command away that a dead consumer has left.
    func purgeCommands() async throws {
        let queues = (0..<settings.partitions).map(names.commandsQueue)
        try await eventually("the command was back in its queue, and taken away") {
            try await upstream.withConnection { connection in
                var count = 0
                for queue in queues { count += try await connection.purgeQueue(queue) }
                return count > 0
            }
        }
    }
}

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

/// Settings for tests of the sweeps.
enum SweepTimes {
    private static let shortLease = [
        "BANK_TIMEOUT": "1500ms", "BANK_WORST_CASE": "500ms", "OPERATION_LEASE": "2500ms",
    ]

    /// What is stuck is soon due, and checked.
    static let soon = shortLease.merging(["SWEEPS_RECONCILE_PERIOD": "500ms"]) { $1 }

    /// A sweep runs when a test asks for it: no slot begins while it runs, but for those at the start of a processor.
    static let byHand = shortLease.merging([
        "SWEEPS_RECONCILE_PERIOD": "168h", "SWEEPS_EXPIRE_PERIOD": "168h", "SWEEPS_RETENTION_PERIOD": "168h",
    ]) { $1 }

    /// The same, with patience enough for a machine that has much else to do.
    static let byHandUnderLoad = byHand.merging([
        "BANK_TIMEOUT": "20s", "BANK_WORST_CASE": "1s", "OPERATION_LEASE": "22s",
    ]) { $1 }
}
