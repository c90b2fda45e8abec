import CRabbitMQ

extension AMQPProperties {
    /// Copies decoded properties out of librabbitmq's memory.
    init(_ raw: amqp_basic_properties_t) {
        self.init()
        func text(_ flag: Int32, _ bytes: amqp_bytes_t) -> String? {
            raw._flags & amqp_flags_t(flag) == 0 ? nil : String(bytes)
        }
        func isSet(_ flag: Int32) -> Bool { raw._flags & amqp_flags_t(flag) != 0 }
        contentType = text(AMQP_BASIC_CONTENT_TYPE_FLAG, raw.content_type)
        contentEncoding = text(AMQP_BASIC_CONTENT_ENCODING_FLAG, raw.content_encoding)
        if isSet(AMQP_BASIC_HEADERS_FLAG) { headers = AMQPTable(raw.headers) }
        if isSet(AMQP_BASIC_DELIVERY_MODE_FLAG) { deliveryMode = DeliveryMode(rawValue: raw.delivery_mode) }
        if isSet(AMQP_BASIC_PRIORITY_FLAG) { priority = raw.priority }
        correlationID = text(AMQP_BASIC_CORRELATION_ID_FLAG, raw.correlation_id)
        replyTo = text(AMQP_BASIC_REPLY_TO_FLAG, raw.reply_to)
        expiration = text(AMQP_BASIC_EXPIRATION_FLAG, raw.expiration)
        messageID = text(AMQP_BASIC_MESSAGE_ID_FLAG, raw.message_id)
        if isSet(AMQP_BASIC_TIMESTAMP_FLAG) { timestamp = raw.timestamp }
        type = text(AMQP_BASIC_TYPE_FLAG, raw.type)
        userID = text(AMQP_BASIC_USER_ID_FLAG, raw.user_id)
        appID = text(AMQP_BASIC_APP_ID_FLAG, raw.app_id)
    }

    /// The properties as librabbitmq wants them; valid until the arena is reset.
    func encoded(in arena: inout Arena) -> amqp_basic_properties_t {
        var raw = amqp_basic_properties_t()
        func set(_ flag: Int32) { raw._flags |= amqp_flags_t(flag) }
        func put(_ flag: Int32, _ text: String?) -> amqp_bytes_t {
            guard let text else { return amqp_bytes_t() }
            set(flag)
            return arena.bytes(text)
        }
        raw.content_type = put(AMQP_BASIC_CONTENT_TYPE_FLAG, contentType)
        raw.content_encoding = put(AMQP_BASIC_CONTENT_ENCODING_FLAG, contentEncoding)
        if !headers.isEmpty {
            set(AMQP_BASIC_HEADERS_FLAG)
            raw.headers = arena.table(headers)
        }
        if let deliveryMode {
            set(AMQP_BASIC_DELIVERY_MODE_FLAG)
            raw.delivery_mode = deliveryMode.rawValue
        }
        if let priority {
            set(AMQP_BASIC_PRIORITY_FLAG)
            raw.priority = priority
        }
        raw.correlation_id = put(AMQP_BASIC_CORRELATION_ID_FLAG, correlationID)
        raw.reply_to = put(AMQP_BASIC_REPLY_TO_FLAG, replyTo)
        raw.expiration = put(AMQP_BASIC_EXPIRATION_FLAG, expiration)
        raw.message_id = put(AMQP_BASIC_MESSAGE_ID_FLAG, messageID)
        if let timestamp {
            set(AMQP_BASIC_TIMESTAMP_FLAG)
            raw.timestamp = timestamp
        }
        raw.type = put(AMQP_BASIC_TYPE_FLAG, type)
        raw.user_id = put(AMQP_BASIC_USER_ID_FLAG, userID)
        raw.app_id = put(AMQP_BASIC_APP_ID_FLAG, appID)
        return raw
    }

    /// What would not survive the wire: librabbitmq writes the length of a text into one byte without looking.
    func encodingProblem(maximumHeaderSize: Int) -> String? {
        func fits(_ text: String?) -> Bool { (text?.utf8.count ?? 0) <= 255 }
        guard fits(contentType), fits(contentEncoding), fits(correlationID), fits(replyTo), fits(expiration),
            fits(messageID), fits(type), fits(userID), fits(appID)
        else { return "a property is longer than 255 bytes" }
        guard !headers.isEmpty else { return nil }
        guard let size = headers.encodedSize() else { return "a header's name is too long, or headers nest too deep" }
        return size <= maximumHeaderSize ? nil : "the headers do not fit into a frame"
    }
}
