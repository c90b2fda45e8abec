import CRabbitMQ

extension AMQPConnection {
    /// Subscribes to a queue, with acknowledgements, on a channel of its own.
    ///
    /// The queue is looked up first, on the control channel, so that a missing one costs no channel.
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
        let (buffer, activity) = (DeliveryBuffer(), ConsumerActivity())
        let consumer = ConsumerLane.Consumer(number: number, buffer: buffer, activity: activity)
        guard let lane = consuming.begin(consumer, above: publishing.firstUnused) else {
            throw AMQPError(.invalidArgument, problem: "no channel is left for another consumer")
        }
        publishing.grant(channels: Int(consuming.firstChannel) - 1)
        let channel = consuming.lanes[lane].channel.number
        let consume = consumeStep(channel, queue: queue, number: number, exclusive: exclusive, arguments: arguments)
        do {
            _ = try await call(on: .consuming(lane), [qosStep(channel, prefetch), consume])
        } catch {
            // Where the broker has refused it, it has closed the channel.
            if consuming.lanes[lane].consumer?.number == number { consuming.withLane(lane) { $0.ended(error) } }
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
    private func qosStep(_ channel: UInt16, _ prefetch: UInt16) -> Call.Step {
        Call.Step(reply: AMQP_BASIC_QOS_OK_METHOD) { link in
            let qos = amqp_basic_qos_t(prefetch_size: 0, prefetch_count: prefetch, global: 0)
            return link.send(AMQP_BASIC_QOS_METHOD, on: channel, qos)
        }
    }

    private func consumeStep(
        _ channel: UInt16,
        queue: String,
        number: UInt64,
        exclusive: Bool,
        arguments: AMQPTable
    ) -> Call.Step {
        Call.Step(reply: AMQP_BASIC_CONSUME_OK_METHOD) { link in
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
        guard let number = UInt64(tag), let lane = consuming.index(ofConsumer: number) else { return }
        let channel = consuming.lanes[lane].channel.number
        let cancel = Call.Step(reply: AMQP_BASIC_CANCEL_OK_METHOD) { link in
            link.arena.reset()
            let cancel = amqp_basic_cancel_t(consumer_tag: link.arena.bytes(tag), nowait: 0)
            return link.send(AMQP_BASIC_CANCEL_METHOD, on: channel, cancel)
        }
        _ = try await call(on: .consuming(lane), [cancel])
    }

    func closeConsumer(_ tag: String) async {
        guard end == nil, let number = UInt64(tag), let lane = consuming.index(ofConsumer: number),
            !consuming.lanes[lane].isClosing
        else { return }
        // What was settled before goes out before the channel is closed.
        consuming.takeSettlements()
        consuming.withLane(lane) { $0.beginClosing() }
        // Where it fails the channel is closed, too.
        _ = try? await call(on: .consuming(lane), [.closing(consuming.lanes[lane].channel.number)])
        if consuming.lanes[lane].consumer?.number == number { consuming.withLane(lane) { $0.ended(nil) } }
    }

    /// Closes the channels of consumers that were cancelled and have nothing left to settle.
    func closeDoneChannels() {
        for lane in consuming.lanes.indices where consuming.lanes[lane].isDone {
            consuming.withLane(lane) { $0.beginClosing() }
            let close = Call.Step.closing(consuming.lanes[lane].channel.number)
            consuming.withLane(lane) { $0.channel.add(Call([close], deadline: Call.deadline(), continuation: nil)) }
        }
    }

    /// How many channels consumers have needed at a time.
    package var consumerChannels: Int { consuming.lanes.count }

    func takeSettlements() {
        consuming.takeSettlements()
    }

    func writeSettlements(_ link: BrokerLink) {
        for index in consuming.lanes.indices where consuming.lanes[index].hasFrames {
            let channel = consuming.lanes[index].channel.number
            for rejection in consuming.lanes[index].rejections where end == nil {
                check(amqp_basic_reject(link.state, channel, rejection.tag, rejection.requeue ? 1 : 0))
            }
            for frame in consuming.lanes[index].acknowledgements where end == nil {
                check(amqp_basic_ack(link.state, channel, frame.tag, frame.multiple ? 1 : 0))
            }
            guard end == nil else { return }
            consuming.withLane(index) { $0.framesWritten() }
        }
    }

    /// The consumer gets nothing more: by our wish (no error), or the broker's.
    func unsubscribed(_ tag: amqp_bytes_t, on channel: UInt16, _ error: AMQPError?) {
        guard let number = UInt64(String(tag)), let lane = consuming.index(ofChannel: channel) else { return }
        consuming.withLane(lane) { $0.unsubscribed(number, error) }
    }

    func delivered(_ content: IncomingContent.Delivered, _ message: AMQPMessage, lane: Int) {
        // What comes while its channel is being closed goes back by that.
        if consuming.lanes[lane].isClosing { return }
        guard consuming.withLane(lane, { $0.delivered(content.tag) }) else {
            finish(AMQPError(.protocolViolation, problem: "a delivery tag out of order"))
            return
        }
        guard let consumer = consuming.lanes[lane].consumer, UInt64(content.consumerTag) == consumer.number else {
            // Delivered to a consumer that is gone; nobody would ever settle it.
            consuming.withLane(lane) { $0.reject(content.tag, requeue: true) }
            return
        }
        let receivedAt = consumer.activity.delivered()
        consumer.buffer.add(
            AMQPDelivery(
                message: message,
                exchange: content.exchange,
                routingKey: content.routingKey,
                redelivered: content.redelivered,
                deliveryTag: content.tag,
                receivedAt: receivedAt,
                consumer: (lane, consumer.number),
                settlements: consuming.settlements,
                activity: consumer.activity
            )
        )
    }

    /// The broker has closed a consumer's channel.
    func consumingChannelClosed(_ error: AMQPError, lane: Int) {
        consuming.withLane(lane) { lane in
            lane.ended(error)
            lane.channel.closed(error)
        }
    }
}
