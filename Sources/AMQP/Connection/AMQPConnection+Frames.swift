import CRabbitMQ

extension AMQPConnection {
    /// The one place where frames arrive. What is in `frame` is the library's memory: copied here, at once.
    func dispatch(_ frame: amqp_frame_t, _ link: BrokerLink) {
        switch Int32(frame.frame_type) {
        case AMQP_FRAME_METHOD: dispatchMethod(frame.payload.method, on: frame.channel, link)
        case AMQP_FRAME_HEADER:
            let header = frame.payload.properties
            let raw = header.decoded.assumingMemoryBound(to: amqp_basic_properties_t.self)
            add(.properties(AMQPProperties(raw.pointee), bodySize: header.body_size), on: frame.channel)
        case AMQP_FRAME_BODY:
            add(.body(UnsafeRawBufferPointer(frame.payload.body_fragment)), on: frame.channel)
        default: break  // A heartbeat, which has done its work by coming.
        }
    }

    private func dispatchMethod(_ method: amqp_method_t, on channel: UInt16, _ link: BrokerLink) {
        func decoded<Method>(_ type: Method.Type) -> Method {
            method.decoded.assumingMemoryBound(to: type).pointee
        }
        switch method.id {
        case AMQP_BASIC_DELIVER_METHOD: begin(decoded(amqp_basic_deliver_t.self), on: channel)
        case AMQP_BASIC_RETURN_METHOD: begin(decoded(amqp_basic_return_t.self), on: channel)
        case AMQP_BASIC_ACK_METHOD:
            let ack = decoded(amqp_basic_ack_t.self)
            confirmed(ack.delivery_tag, multiple: ack.multiple != 0, outcome: .confirmed, on: channel)
        case AMQP_BASIC_NACK_METHOD:
            let nack = decoded(amqp_basic_nack_t.self)
            confirmed(nack.delivery_tag, multiple: nack.multiple != 0, outcome: .nacked, on: channel)
        case AMQP_BASIC_CANCEL_METHOD:
            let cancel = decoded(amqp_basic_cancel_t.self)
            unsubscribed(cancel.consumer_tag, on: channel, AMQPError(.cancelledByBroker))
            if cancel.nowait == 0 {
                let answer = amqp_basic_cancel_ok_t(consumer_tag: cancel.consumer_tag)
                check(link.send(AMQP_BASIC_CANCEL_OK_METHOD, on: channel, answer))
            }
        case AMQP_CHANNEL_FLOW_METHOD:
            let answer = amqp_channel_flow_ok_t(active: decoded(amqp_channel_flow_t.self).active)
            check(link.send(AMQP_CHANNEL_FLOW_OK_METHOD, on: channel, answer))
        case AMQP_CHANNEL_CLOSE_METHOD:
            let close = decoded(amqp_channel_close_t.self)
            let error = AMQPError(.channelClosed(replyCode: close.reply_code), brokerText: String(close.reply_text))
            check(link.send(AMQP_CHANNEL_CLOSE_OK_METHOD, on: channel, amqp_channel_close_ok_t()))
            channelClosed(channel, error)
        default:
            channel == 0 ? dispatchConnectionMethod(method, link) : dispatchReply(method, on: channel, link)
        }
    }

    private func dispatchConnectionMethod(_ method: amqp_method_t, _ link: BrokerLink) {
        switch method.id {
        case AMQP_CONNECTION_BLOCKED_METHOD:
            let blocked = method.decoded.assumingMemoryBound(to: amqp_connection_blocked_t.self).pointee
            isBlocked = true
            onEvent(.blocked(reason: String(blocked.reason)))
        case AMQP_CONNECTION_UNBLOCKED_METHOD:
            isBlocked = false
            onEvent(.unblocked)
        case AMQP_CONNECTION_CLOSE_METHOD:
            let close = method.decoded.assumingMemoryBound(to: amqp_connection_close_t.self).pointee
            let text = String(close.reply_text)
            // An answer out of politeness: should it fail, the end is the same.
            _ = link.send(AMQP_CONNECTION_CLOSE_OK_METHOD, on: 0, amqp_connection_close_ok_t())
            finish(AMQPError(.connectionClosedByBroker(replyCode: close.reply_code), brokerText: text))
        case AMQP_CONNECTION_CLOSE_OK_METHOD:
            finish(AMQPError(.closed))
        default:
            finish(AMQPError(.protocolViolation, problem: "method \(method.id) on channel 0"))
        }
    }

    private func dispatchReply(_ method: amqp_method_t, on channel: UInt16, _ link: BrokerLink) {
        var reply = Call.Reply()
        switch method.id {
        case AMQP_QUEUE_DECLARE_OK_METHOD:
            let ok = method.decoded.assumingMemoryBound(to: amqp_queue_declare_ok_t.self).pointee
            reply.queue = String(ok.queue)
            reply.messageCount = Int(ok.message_count)
            reply.consumerCount = Int(ok.consumer_count)
        case AMQP_QUEUE_PURGE_OK_METHOD:
            let ok = method.decoded.assumingMemoryBound(to: amqp_queue_purge_ok_t.self).pointee
            reply.messageCount = Int(ok.message_count)
        case AMQP_QUEUE_DELETE_OK_METHOD:
            let ok = method.decoded.assumingMemoryBound(to: amqp_queue_delete_ok_t.self).pointee
            reply.messageCount = Int(ok.message_count)
        case AMQP_BASIC_CANCEL_OK_METHOD:
            let ok = method.decoded.assumingMemoryBound(to: amqp_basic_cancel_ok_t.self).pointee
            unsubscribed(ok.consumer_tag, on: channel, nil)
        default: break
        }
        var status: BrokerLink.Status = 0
        let isExpected =
            switch channel {
            case control.number: control.receive(method.id, reply, link, &status)
            default:
                if let index = consuming.index(ofChannel: channel) {
                    receive(method.id, reply, forConsumer: index, link, &status)
                } else {
                    publishing.index(ofChannel: channel).map { index in
                        receive(method.id, reply, forPublishing: index, link, &status)
                    } ?? false
                }
            }
        check(status)
        if !isExpected { finish(AMQPError(.protocolViolation, problem: "method \(method.id) unasked")) }
    }

    private func receive(
        _ method: UInt32,
        _ reply: Call.Reply,
        forConsumer index: Int,
        _ link: BrokerLink,
        _ status: inout BrokerLink.Status
    ) -> Bool {
        let isExpected = consuming.withLane(index) { $0.channel.receive(method, reply, link, &status) }
        guard method == AMQP_CHANNEL_CLOSE_OK_METHOD else { return isExpected }
        // Where both sides closed it at once, the broker's close came first and has ended it already.
        if isExpected { consumingChannelClosed(AMQPError(.closed), lane: index) }
        return true
    }

    private func receive(
        _ method: UInt32,
        _ reply: Call.Reply,
        forPublishing index: Int,
        _ link: BrokerLink,
        _ status: inout BrokerLink.Status
    ) -> Bool {
        publishing.withLane(index) { lane in
            let isExpected = lane.channel.receive(method, reply, link, &status)
            guard method == AMQP_CHANNEL_CLOSE_OK_METHOD else { return isExpected }
            // As with a consumer's.
            if isExpected { lane.closed(AMQPError(.closed)) }
            return true
        }
    }

    private func channelClosed(_ channel: UInt16, _ error: AMQPError) {
        switch channel {
        case control.number: control.closed(error)
        default:
            if let index = consuming.index(ofChannel: channel) { return consumingChannelClosed(error, lane: index) }
            guard let index = publishing.index(ofChannel: channel) else {
                return finish(AMQPError(.protocolViolation, problem: "an unknown channel closed"))
            }
            publishing.withLane(index) { $0.closed(error) }
        }
    }

    private func begin(_ deliver: amqp_basic_deliver_t, on channel: UInt16) {
        guard let index = consuming.index(ofChannel: channel), consuming.lanes[index].incoming == nil else {
            return unexpectedContent()
        }
        let delivered = IncomingContent.Delivered(
            consumerTag: String(deliver.consumer_tag),
            tag: deliver.delivery_tag,
            redelivered: deliver.redelivered != 0,
            exchange: String(deliver.exchange),
            routingKey: String(deliver.routing_key)
        )
        consuming.withLane(index) { $0.incoming = IncomingContent(.delivered(delivered)) }
    }

    private func begin(_ returned: amqp_basic_return_t, on channel: UInt16) {
        guard let index = publishing.index(ofChannel: channel), publishing.lanes[index].incoming == nil else {
            return unexpectedContent()
        }
        let content = IncomingContent.Returned(
            replyCode: returned.reply_code,
            replyText: String(returned.reply_text),
            exchange: String(returned.exchange),
            routingKey: String(returned.routing_key)
        )
        publishing.withLane(index) { $0.incoming = IncomingContent(.returned(content)) }
    }

    private func add(_ piece: IncomingContent.Piece, on channel: UInt16) {
        if let index = consuming.index(ofChannel: channel) {
            guard consuming.withLane(index, { $0.incoming?.add(piece) }) == true else { return unexpectedContent() }
            guard let content = consuming.lanes[index].incoming, content.isComplete,
                case .delivered(let delivered) = content.method
            else { return }
            consuming.withLane(index) { $0.incoming = nil }
            self.delivered(delivered, content.message, lane: index)
        } else {
            guard let index = publishing.index(ofChannel: channel),
                publishing.withLane(index, { $0.incoming?.add(piece) }) == true
            else { return unexpectedContent() }
            guard let content = publishing.lanes[index].incoming, content.isComplete,
                case .returned(let returned) = content.method
            else { return }
            publishing.withLane(index) { $0.incoming = nil }
            self.returned(returned, content.message, lane: index)
        }
    }

    private func unexpectedContent() {
        finish(AMQPError(.protocolViolation, problem: "content where none belongs"))
    }
}

/// A message that is arriving: its method first, then the properties, then the body in pieces.
struct IncomingContent {
    struct Delivered {
        let consumerTag: String
        let tag: UInt64
        let redelivered: Bool
        let exchange: String
        let routingKey: String
    }

    struct Returned {
        let replyCode: UInt16
        let replyText: String
        let exchange: String
        let routingKey: String
    }

    enum Method {
        case delivered(Delivered)
        case returned(Returned)
    }

    enum Piece {
        case properties(AMQPProperties, bodySize: UInt64)
        case body(UnsafeRawBufferPointer)
    }

    /// Not all of it is believed before it has come.
    private static let maximumReserve: UInt64 = 16 << 20

    let method: Method
    private(set) var message = AMQPMessage()
    /// Bytes of the body that are to come; nil before the properties.
    private var missing: UInt64?

    init(_ method: Method) {
        self.method = method
    }

    var isComplete: Bool { missing == 0 }

    /// - Returns: false when the piece does not belong here.
    mutating func add(_ piece: Piece) -> Bool {
        switch (piece, missing) {
        case (.properties(let properties, let bodySize), nil):
            message.properties = properties
            missing = bodySize
        case (.body(let bytes), let missing?) where missing >= UInt64(bytes.count):
            if missing == UInt64(bytes.count), message.body.isEmpty {
                message.body = Array(bytes)
            } else {
                if message.body.isEmpty { message.body.reserveCapacity(Int(min(missing, Self.maximumReserve))) }
                message.body.append(contentsOf: bytes)
            }
            self.missing = missing - UInt64(bytes.count)
        default: return false
        }
        return true
    }
}
