import CRabbitMQ

extension AMQPConnection {
    /// Subscribes to a queue, with acknowledgements. All consumers of a connection share one channel.
    ///
    /// The queue is looked up first, on the control channel, so that a missing one does not end the other consumers. A
    /// refusal for another reason (403, somebody is its exclusive consumer) still does.
    ///
    /// - Parameters:
    ///   - queue: its name.
    ///   - prefetch: how many unsettled deliveries this consumer may hold, from 1 up; the bound of its buffer.
    ///   - exclusive: be the queue's only consumer.
    ///   - arguments: for the broker, such as `x-priority`.
    /// - Returns: the sequence of deliveries.
    /// - Throws: `channelClosed` (404: no such queue, 403: refused), or why the connection has ended.
    package func consume(
        queue: String,
        prefetch: UInt16,
        exclusive: Bool = false,
        arguments: AMQPTable = [:]
    ) async throws(AMQPError) -> AMQPConsumer {
        guard prefetch > 0 else { throw AMQPError(.invalidArgument, problem: "the prefetch is 0") }
        try validate([queue], arguments)
        _ = try await checkQueue(queue)
        consuming.lastConsumer += 1
        let number = consuming.lastConsumer
        let buffer = DeliveryBuffer()
        let activity = ConsumerActivity()
        consuming.consumers[number] = Consuming.Consumer(buffer: buffer, activity: activity)
        let consume = consumeStep(queue: queue, number: number, exclusive: exclusive, arguments: arguments)
        do {
            _ = try await call(on: .consuming, [qosStep(prefetch), consume])
        } catch {
            consuming.consumers[number] = nil
            throw error
        }
        return AMQPConsumer(
            queue: queue,
            consumerTag: String(number),
            buffer: buffer,
            activity: activity,
            connection: self
        )
    }

    /// The prefetch of consumers subscribed later, each for itself (`global` false).
    private func qosStep(_ prefetch: UInt16) -> Call.Step {
        let channel = consuming.channel.number
        return Call.Step(reply: AMQP_BASIC_QOS_OK_METHOD) { link in
            let qos = amqp_basic_qos_t(prefetch_size: 0, prefetch_count: prefetch, global: 0)
            return link.send(AMQP_BASIC_QOS_METHOD, on: channel, qos)
        }
    }

    private func consumeStep(queue: String, number: UInt64, exclusive: Bool, arguments: AMQPTable) -> Call.Step {
        let channel = consuming.channel.number
        return Call.Step(reply: AMQP_BASIC_CONSUME_OK_METHOD) { link in
            link.arena.reset()
            var consume = amqp_basic_consume_t()
            consume.queue = link.arena.bytes(queue)
            consume.consumer_tag = link.arena.bytes(String(number))
            consume.exclusive = exclusive ? 1 : 0
            consume.arguments = link.arena.table(arguments)
            return link.send(AMQP_BASIC_CONSUME_METHOD, on: channel, consume)
        }
    }

    func cancelConsumer(_ tag: String) async throws(AMQPError) {
        guard let number = UInt64(tag), consuming.consumers[number] != nil else { return }
        let channel = consuming.channel.number
        let cancel = Call.Step(reply: AMQP_BASIC_CANCEL_OK_METHOD) { link in
            link.arena.reset()
            let cancel = amqp_basic_cancel_t(consumer_tag: link.arena.bytes(tag), nowait: 0)
            return link.send(AMQP_BASIC_CANCEL_METHOD, on: channel, cancel)
        }
        _ = try await call(on: .consuming, [cancel])
    }

    func takeSettlements() {
        consuming.takeSettlements()
    }

    func writeSettlements(_ link: BrokerLink) {
        let channel = consuming.channel.number
        for rejection in consuming.rejections where end == nil {
            check(amqp_basic_reject(link.state, channel, rejection.tag, rejection.requeue ? 1 : 0))
        }
        for frame in consuming.acknowledgements where end == nil {
            check(amqp_basic_ack(link.state, channel, frame.tag, frame.multiple ? 1 : 0))
        }
        consuming.rejections.removeAll(keepingCapacity: true)
        consuming.acknowledgements.removeAll(keepingCapacity: true)
    }

    func subscribed(_ tag: amqp_bytes_t) {
        guard let number = UInt64(String(tag)) else { return }
        consuming.consumers[number]?.isSubscribed = true
    }

    /// The consumer gets nothing more: by our wish (no error), or the broker's.
    func unsubscribed(_ tag: amqp_bytes_t, _ error: AMQPError?) {
        guard let number = UInt64(String(tag)), let consumer = consuming.consumers.removeValue(forKey: number) else {
            return
        }
        consumer.buffer.finish(error)
    }

    func delivered(_ content: IncomingContent.Delivered, _ message: AMQPMessage) {
        guard consuming.tracker.delivered(content.tag) else {
            finish(AMQPError(.protocolViolation, problem: "a delivery tag out of order"))
            return
        }
        guard let number = UInt64(content.consumerTag), let consumer = consuming.consumers[number] else {
            // Delivered to a consumer that is gone; nobody would ever settle it.
            consuming.reject(content.tag, requeue: true)
            return
        }
        consumer.activity.delivered()
        consumer.buffer.add(
            AMQPDelivery(
                message: message,
                exchange: content.exchange,
                routingKey: content.routingKey,
                redelivered: content.redelivered,
                deliveryTag: content.tag,
                consumerTag: content.consumerTag,
                settlements: consuming.settlements,
                activity: consumer.activity
            )
        )
    }

    /// The broker has closed the consuming channel.
    func consumingChannelClosed(_ error: AMQPError) {
        consuming.channelEnded(error, next: SettlementQueue(executor: executor))
        consuming.channel.closed(error)
    }
}
