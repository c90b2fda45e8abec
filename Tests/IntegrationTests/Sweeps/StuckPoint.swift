import AMQP
import Core
import TestSupport

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
