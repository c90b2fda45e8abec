import AMQP
import Core
import TestSupport
import Testing

extension FaultLane {
    @Suite("Results that nobody is waiting for", .timeLimit(.minutes(10)))
    struct OutboxTests {
        @Test("a relay killed between the publish and its note: the duplicates have the same id and body")
        func killedRelay() async throws {
            try await World.run(World.Settings(processor: SweepTimes.byHand)) { world in
                let proxy = try TCPProxy(toPort: ServerURL(world.servers.amqpURL).port)
                defer { proxy.stop() }
                let address = ServerURL(world.servers.amqpURL).through(proxy)
                let first = try await world.startQuietProcessor(["AMQP_URL": address])
                let payment = try await world.authorized()
                try await world.makeStuckCaptures(of: [payment])
                // From here on the relay hears no confirm; what it says is heard.
                proxy.setStalled(.toClient, true)
                #expect(try await world.sweep("reconcile")["resolved"]?.integer == 1)
                let correlation = "stuck-\(payment)"
                _ = try await world.upstream.reply(to: correlation)
                try await first.child.crash()
                #expect(try await world.database.number("SELECT count(*) FROM outbox WHERE sent_at IS NULL") == 2)

                // What it had taken is free again when its time is over.
                try await world.database.execute("UPDATE outbox SET due_at = now()")
                try await world.startQuietProcessor()
                try await eventually("all of it was relayed") {
                    try await world.database.number("SELECT count(*) FROM outbox WHERE sent_at IS NULL") == 0
                }
                try await eventually("the reply came again") { world.upstream.replies(to: correlation).count >= 2 }
                let replies = world.upstream.replies(to: correlation)
                #expect(Set(replies.map(\.message.body)).count == 1)
                #expect(Set(replies.map(\.message.properties.messageID)).count == 1)
                #expect(replies.allSatisfy { $0.isReplayed == true })
            }
        }

        @Test("a reply whose queue is gone is recorded as undeliverable, and the outcome stands")
        func undeliverable() async throws {
            try await World.run(World.Settings(processor: SweepTimes.byHand)) { world in
                try await world.startQuietProcessor()
                let payment = try await world.authorized()
                try await world.makeStuckCaptures(of: [payment])
                try await world.database.execute(
                    "UPDATE operations SET reply_to = 'replies.gone' WHERE kind = 'capture'"
                )
                #expect(try await world.sweep("reconcile")["resolved"]?.integer == 1)
                try await eventually("it was recorded") {
                    try await world.database.number(
                        "SELECT count(*) FROM operations WHERE undeliverable_at IS NOT NULL AND state = 'SUCCEEDED'"
                    ) == 1
                }
                let row = try await world.database.rows(
                    "SELECT is_undeliverable, sent_at IS NOT NULL AS is_sent FROM outbox WHERE destination = 'reply'"
                ).first
                #expect(row?["is_undeliverable"] == .bool(true))
                #expect(row?["is_sent"] == .bool(true))
            }
        }

        @Test("live commands tell the same events, each with an id of its own")
        func events() async throws {
            try await World.run { world in
                try await world.startProcessor()
                let queue = try await world.upstream.listenToEvents(of: world.names)
                let first = TestCommand.authorize()
                let (capture, refund) = (TestCommand.capture(first.paymentID), TestCommand.refund(first.paymentID))
                for command in [first, capture, refund] { try await world.ask(command) }
                let second = try await world.authorized()
                try await world.ask(.void(second))
                try await world.ask(.authorize(card: .empty))
                try await world.ask(.capture(second))
                let published = try await eventually("all events came") {
                    let messages = try await world.upstream.browse(queue)
                    return messages.count >= 6 ? messages : nil
                }
                #expect(
                    published.map { $0.properties.type } == [
                        "payment.authorized.v1", "payment.captured.v1", "payment.refunded.v1", "payment.authorized.v1",
                        "payment.voided.v1", "payment.declined.v1",
                    ]
                )
                for message in published {
                    let json = try JSONParser.parse(message.body)
                    #expect(
                        String(decoding: json.encoded, as: UTF8.self) == String(decoding: message.body, as: UTF8.self)
                    )
                    guard case .object(let members) = json else { continue }
                    #expect(members.keys.sorted() == ["event", "occurred_at", "operation", "payment", "payment_id"])
                    #expect(message.properties.headers["payment-id"]?.stringValue == json["payment_id"]?.string)
                    #expect(message.properties.headers["merchant-id"]?.stringValue == "default")
                    #expect(message.properties.deliveryMode == .persistent)
                }
                #expect(Set(published.map(\.properties.messageID)).count == published.count)
                try await world.upstream.withConnection { _ = try await $0.deleteQueue(queue) }
            }
        }

        @Test("a listener whose queue is full holds up no command and repeats no reply, and gets its events later")
        func fullListener() async throws {
            try await World.run { world in
                try await world.startProcessor()
                let queue = "replies.events.\(Random.name)"
                try await world.upstream.withConnection { connection in
                    _ = try await connection.declareQueue(
                        queue,
                        arguments: ["x-queue-type": "classic", "x-max-length": 1, "x-overflow": "reject-publish"]
                    )
                    try await connection.bindQueue(queue, to: world.names.eventsExchange, routingKey: "payment.#")
                }
                let commands = (0..<30).map { _ in TestCommand.authorize() }
                try await world.send(commands)
                try await world.expect(commands, endAs: "succeeded")
                // Nothing was deferred, and nothing is unacknowledged: acknowledged with the reply.
                try await world.drained()
                #expect(commands.allSatisfy { world.upstream.replies(to: $0.correlation).count == 1 })
                #expect(try await world.metric("payments_events_postponed_total") >= 29)
                #expect(
                    try await world.database.number("SELECT count(*) FROM operations WHERE notified_at IS NULL") == 0
                )
                let waiting = "SELECT count(*) FROM outbox WHERE sent_at IS NULL AND destination = 'event'"
                #expect(try await world.database.number(waiting) >= 29)

                // Now somebody reads.
                let published = try await world.upstream.withConnection { connection in
                    let consumer = try await connection.consume(queue: queue, prefetch: 10)
                    var ids: Set<String> = []
                    for try await delivery in consumer {
                        ids.insert(delivery.message.properties.messageID ?? "")
                        try delivery.acknowledge()
                        if ids.count == 30 { break }
                    }
                    try await consumer.cancel()
                    return ids
                }
                #expect(published.count == 30)
                try await world.upstream.withConnection { _ = try await $0.deleteQueue(queue) }
                #expect(commands.allSatisfy { world.upstream.replies(to: $0.correlation).count == 1 })
            }
        }

        @Test("events that the outbox has no room for stay due, and the sweep tells them; no reply comes again")
        func noRoom() async throws {
            try await World.run(World.Settings(processor: SweepTimes.byHand)) { world in
                try await world.startQuietProcessor()
                let queue = try await world.upstream.listenToEvents(of: world.names)
                let payment = try await world.authorized()
                // As the note of a delivery leaves it.
                try await world.database.execute(
                    """
                    WITH due AS (UPDATE operations SET events_due = true RETURNING *)
                    INSERT INTO open_operations (operation_id, merchant_id, idempotency_key, payment_id, due_at)
                    SELECT id, merchant_id, idempotency_key, payment_id, now() FROM due
                    """
                )
                let replies = world.upstream.replyCount
                #expect(try await world.sweep("reconcile")["resolved"]?.integer == 1)
                let published: [AMQPMessage] = try await eventually("the event came again") {
                    let messages = try await world.upstream.browse(queue)
                    return messages.count == 2 ? messages : nil
                }
                #expect(Set(published.map(\.properties.messageID)).count == 1)
                #expect(published.allSatisfy { $0.properties.headers["payment-id"]?.stringValue == payment })
                #expect(try await world.database.number("SELECT count(*) FROM operations WHERE events_due") == 0)
                #expect(world.upstream.replyCount == replies)
                try await world.upstream.withConnection { _ = try await $0.deleteQueue(queue) }
            }
        }
    }
}

extension World {
    /// Waits until no command is on its way any more.
    func drained() async throws {
        let queues = RetryTier.allCases.map(names.retryQueue) + (0..<settings.partitions).map(names.commandsQueue)
        try await eventually("everything was drained", within: .seconds(90)) {
            try await upstream.withConnection { connection in
                var count = 0
                for queue in queues { count += try await connection.messageCount(of: queue) }
                return count == 0
            }
        }
    }
}
