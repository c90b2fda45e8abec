import CRabbitMQ

// What is common to all of these: a refusal is `channelClosed` with the broker's reply code (404 there is no such object,
// 405 it belongs to another connection, 406 it exists with other arguments, 403 not allowed) and its words in `brokerText`.
// The connection stays usable.
extension AMQPConnection {
    /// Declares an exchange; nothing happens when it exists with the same properties.
    package func declareExchange(
        _ name: String,
        kind: String,
        durable: Bool = true,
        autoDelete: Bool = false,
        arguments: AMQPTable = [:]
    ) async throws(AMQPError) {
        try validate([name, kind], arguments)
        _ = try await controlCall(AMQP_EXCHANGE_DECLARE_METHOD, AMQP_EXCHANGE_DECLARE_OK_METHOD) { arena in
            var declare = amqp_exchange_declare_t()
            declare.exchange = arena.bytes(name)
            declare.type = arena.bytes(kind)
            declare.durable = durable ? 1 : 0
            declare.auto_delete = autoDelete ? 1 : 0
            declare.arguments = arena.table(arguments)
            return declare
        }
    }

    /// Throws `channelClosed` (404) when there is no such exchange. Looks at nothing but the name.
    package func checkExchange(_ name: String) async throws(AMQPError) {
        try validate([name])
        _ = try await controlCall(AMQP_EXCHANGE_DECLARE_METHOD, AMQP_EXCHANGE_DECLARE_OK_METHOD) { arena in
            var declare = amqp_exchange_declare_t()
            declare.exchange = arena.bytes(name)
            declare.type = arena.bytes("direct")
            declare.passive = 1
            return declare
        }
    }

    package func deleteExchange(_ name: String, ifUnused: Bool = false) async throws(AMQPError) {
        try validate([name])
        _ = try await controlCall(AMQP_EXCHANGE_DELETE_METHOD, AMQP_EXCHANGE_DELETE_OK_METHOD) { arena in
            var delete = amqp_exchange_delete_t()
            delete.exchange = arena.bytes(name)
            delete.if_unused = ifUnused ? 1 : 0
            return delete
        }
    }

    /// Declares a queue; nothing happens when it exists with the same properties.
    ///
    /// - Parameters:
    ///   - name: empty to have the broker make one up.
    ///   - durable: whether it survives a restart of the broker.
    ///   - exclusive: for this connection only, and deleted with it.
    ///   - autoDelete: deleted when its last consumer has gone.
    ///   - arguments: the `x-…` arguments of the queue.
    /// - Returns: its name and state.
    /// - Throws: `channelClosed` (406) when it exists with other properties or arguments.
    @discardableResult
    package func declareQueue(
        _ name: String,
        durable: Bool = true,
        exclusive: Bool = false,
        autoDelete: Bool = false,
        arguments: AMQPTable = [:]
    ) async throws(AMQPError) -> AMQPQueueStatus {
        try validate([name], arguments)
        let reply = try await controlCall(AMQP_QUEUE_DECLARE_METHOD, AMQP_QUEUE_DECLARE_OK_METHOD) { arena in
            var declare = amqp_queue_declare_t()
            declare.queue = arena.bytes(name)
            declare.durable = durable ? 1 : 0
            declare.exclusive = exclusive ? 1 : 0
            declare.auto_delete = autoDelete ? 1 : 0
            declare.arguments = arena.table(arguments)
            return declare
        }
        return AMQPQueueStatus(reply)
    }

    /// The state of a queue; `channelClosed` (404) when there is no such queue. Looks at nothing but the name.
    package func checkQueue(_ name: String) async throws(AMQPError) -> AMQPQueueStatus {
        try validate([name])
        let reply = try await controlCall(AMQP_QUEUE_DECLARE_METHOD, AMQP_QUEUE_DECLARE_OK_METHOD) { arena in
            var declare = amqp_queue_declare_t()
            declare.queue = arena.bytes(name)
            declare.passive = 1
            return declare
        }
        return AMQPQueueStatus(reply)
    }

    /// How many messages are ready in a queue; those delivered and unsettled are not counted.
    package func messageCount(of queue: String) async throws(AMQPError) -> Int {
        try await checkQueue(queue).messageCount
    }

    /// - Returns: how many messages were deleted with it; 0 when there was no such queue.
    @discardableResult
    package func deleteQueue(
        _ name: String,
        ifUnused: Bool = false,
        ifEmpty: Bool = false
    ) async throws(AMQPError) -> Int {
        try validate([name])
        return try await controlCall(AMQP_QUEUE_DELETE_METHOD, AMQP_QUEUE_DELETE_OK_METHOD) { arena in
            var delete = amqp_queue_delete_t()
            delete.queue = arena.bytes(name)
            delete.if_unused = ifUnused ? 1 : 0
            delete.if_empty = ifEmpty ? 1 : 0
            return delete
        }.messageCount
    }

    /// Removes the messages that are ready.
    ///
    /// - Returns: how many.
    @discardableResult
    package func purgeQueue(_ name: String) async throws(AMQPError) -> Int {
        try validate([name])
        return try await controlCall(AMQP_QUEUE_PURGE_METHOD, AMQP_QUEUE_PURGE_OK_METHOD) { arena in
            amqp_queue_purge_t(ticket: 0, queue: arena.bytes(name), nowait: 0)
        }.messageCount
    }

    package func bindQueue(
        _ queue: String,
        to exchange: String,
        routingKey: String,
        arguments: AMQPTable = [:]
    ) async throws(AMQPError) {
        try validate([queue, exchange, routingKey], arguments)
        _ = try await controlCall(AMQP_QUEUE_BIND_METHOD, AMQP_QUEUE_BIND_OK_METHOD) { arena in
            amqp_queue_bind_t(
                ticket: 0,
                queue: arena.bytes(queue),
                exchange: arena.bytes(exchange),
                routing_key: arena.bytes(routingKey),
                nowait: 0,
                arguments: arena.table(arguments)
            )
        }
    }

    package func unbindQueue(
        _ queue: String,
        from exchange: String,
        routingKey: String,
        arguments: AMQPTable = [:]
    ) async throws(AMQPError) {
        try validate([queue, exchange, routingKey], arguments)
        _ = try await controlCall(AMQP_QUEUE_UNBIND_METHOD, AMQP_QUEUE_UNBIND_OK_METHOD) { arena in
            amqp_queue_unbind_t(
                ticket: 0,
                queue: arena.bytes(queue),
                exchange: arena.bytes(exchange),
                routing_key: arena.bytes(routingKey),
                arguments: arena.table(arguments)
            )
        }
    }

    private func controlCall<Method>(
        _ method: UInt32,
        _ reply: UInt32,
        _ encode: @escaping (inout Arena) -> Method
    ) async throws(AMQPError) -> Call.Reply {
        let channel = control.number
        let step = Call.Step(reply: reply) { link in
            link.arena.reset()
            return link.send(method, on: channel, encode(&link.arena))
        }
        return try await call(on: .control, [step])
    }
}

extension AMQPQueueStatus {
    fileprivate init(_ reply: Call.Reply) {
        self.init(name: reply.queue, messageCount: reply.messageCount, consumerCount: reply.consumerCount)
    }
}

/// What the broker tells of a queue when it is declared or looked up.
package struct AMQPQueueStatus: Sendable, Equatable {
    /// The queue's name, also when the broker has made it up.
    package let name: String
    /// Messages ready for delivery; the delivered and unsettled ones are not counted.
    package let messageCount: Int
    package let consumerCount: Int
}
