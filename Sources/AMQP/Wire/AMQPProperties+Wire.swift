import CRabbitMQ

extension AMQPProperties {
    /// Copies decoded properties out of librabbitmq's memory.
    init(_ raw: amqp_basic_properties_t) {
        self.init()
        func isSet(_ flag: Int32) -> Bool { raw._flags & amqp_flags_t(flag) != 0 }
        var undecoded: [Text: [UInt8]] = [:]
        func text(_ flag: Int32, _ raw: amqp_bytes_t, _ name: Text) -> String? {
            guard isSet(flag) else { return nil }
            let bytes = UnsafeRawBufferPointer(raw)
            if let text = String(validating: bytes, as: UTF8.self) { return text }
            undecoded[name] = Array(bytes)
            return nil
        }
        contentType = text(AMQP_BASIC_CONTENT_TYPE_FLAG, raw.content_type, .contentType)
        contentEncoding = text(AMQP_BASIC_CONTENT_ENCODING_FLAG, raw.content_encoding, .contentEncoding)
        if isSet(AMQP_BASIC_HEADERS_FLAG) { headers = AMQPTable(raw.headers) }
        if isSet(AMQP_BASIC_DELIVERY_MODE_FLAG) { deliveryMode = DeliveryMode(rawValue: raw.delivery_mode) }
        if isSet(AMQP_BASIC_PRIORITY_FLAG) { priority = raw.priority }
        correlationID = text(AMQP_BASIC_CORRELATION_ID_FLAG, raw.correlation_id, .correlationID)
        replyTo = text(AMQP_BASIC_REPLY_TO_FLAG, raw.reply_to, .replyTo)
        expiration = text(AMQP_BASIC_EXPIRATION_FLAG, raw.expiration, .expiration)
        messageID = text(AMQP_BASIC_MESSAGE_ID_FLAG, raw.message_id, .messageID)
        if isSet(AMQP_BASIC_TIMESTAMP_FLAG) { timestamp = raw.timestamp }
        type = text(AMQP_BASIC_TYPE_FLAG, raw.type, .type)
        userID = text(AMQP_BASIC_USER_ID_FLAG, raw.user_id, .userID)
        appID = text(AMQP_BASIC_APP_ID_FLAG, raw.app_id, .appID)
        self.undecoded = undecoded
    }

    /// The properties as librabbitmq wants them; valid until the arena is reset.
    func encoded(in arena: inout Arena) -> amqp_basic_properties_t {
        var raw = amqp_basic_properties_t()
        func set(_ flag: Int32) { raw._flags |= amqp_flags_t(flag) }
        func put(_ flag: Int32, _ text: String?, _ name: Text) -> amqp_bytes_t {
            if let text {
                set(flag)
                return arena.bytes(text)
            }
            guard let bytes = undecoded[name] else { return amqp_bytes_t() }
            set(flag)
            return bytes.withUnsafeBytes { arena.bytes($0) }
        }
        raw.content_type = put(AMQP_BASIC_CONTENT_TYPE_FLAG, contentType, .contentType)
        raw.content_encoding = put(AMQP_BASIC_CONTENT_ENCODING_FLAG, contentEncoding, .contentEncoding)
        if !headers.hasNoEntry {
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
        raw.correlation_id = put(AMQP_BASIC_CORRELATION_ID_FLAG, correlationID, .correlationID)
        raw.reply_to = put(AMQP_BASIC_REPLY_TO_FLAG, replyTo, .replyTo)
        raw.expiration = put(AMQP_BASIC_EXPIRATION_FLAG, expiration, .expiration)
        raw.message_id = put(AMQP_BASIC_MESSAGE_ID_FLAG, messageID, .messageID)
        if let timestamp {
            set(AMQP_BASIC_TIMESTAMP_FLAG)
            raw.timestamp = timestamp
        }
        raw.type = put(AMQP_BASIC_TYPE_FLAG, type, .type)
        raw.user_id = put(AMQP_BASIC_USER_ID_FLAG, userID, .userID)
        raw.app_id = put(AMQP_BASIC_APP_ID_FLAG, appID, .appID)
        return raw
    }

    /// What would not survive the wire: librabbitmq writes the length of a text into one byte without looking.
    func encodingProblem(maximumHeaderSize: Int) -> String? {
        func fits(_ text: String?) -> Bool { (text?.utf8.count ?? 0) <= 255 }
        guard fits(contentType), fits(contentEncoding), fits(correlationID), fits(replyTo), fits(expiration),
            fits(messageID), fits(type), fits(userID), fits(appID),
            undecoded.values.allSatisfy({ $0.count <= 255 })
        else { return "a property is longer than 255 bytes" }
        guard !headers.hasNoEntry else { return nil }
        guard let size = headers.encodedSize() else { return "a header's name is too long, or headers nest too deep" }
        return size <= maximumHeaderSize ? nil : "the headers do not fit into a frame"
    }
}

extension String {
    /// What is not UTF-8 becomes U+FFFD.
    init(_ bytes: amqp_bytes_t) {
        self.init(decoding: UnsafeRawBufferPointer(bytes), as: UTF8.self)
    }
}

extension UnsafeRawBufferPointer {
    init(_ bytes: amqp_bytes_t) {
        self.init(start: bytes.bytes, count: bytes.bytes == nil ? 0 : bytes.len)
    }
}

extension AMQPTable {
    /// Copies a decoded table out of librabbitmq's memory.
    init(_ table: amqp_table_t, depth: Int = 0) {
        self.init()
        let entries = UnsafeBufferPointer(start: table.entries, count: Int(table.num_entries))
        reserveCapacity(entries.count)
        for entry in entries {
            let value = AMQPValue(entry.value, depth: depth + 1)
            let name = UnsafeRawBufferPointer(entry.key)
            if let key = String(validating: name, as: UTF8.self) {
                append(key, value)
            } else {
                unnamed.append(Unnamed(name: Array(name), value: value))
            }
        }
    }
}

extension AMQPValue {
    /// Values nested deeper than `AMQPTable.maximumDepth` are `void`: a hostile message must not exhaust the stack.
    fileprivate init(_ field: amqp_field_value_t, depth: Int) {
        let value = field.value
        switch amqp_field_value_kind_t(rawValue: UInt32(field.kind)) {
        case AMQP_FIELD_KIND_BOOLEAN: self = .bool(value.boolean != 0)
        case AMQP_FIELD_KIND_I8: self = .int(Int64(value.i8))
        case AMQP_FIELD_KIND_U8: self = .int(Int64(value.u8))
        case AMQP_FIELD_KIND_I16: self = .int(Int64(value.i16))
        case AMQP_FIELD_KIND_U16: self = .int(Int64(value.u16))
        case AMQP_FIELD_KIND_I32: self = .int(Int64(value.i32))
        case AMQP_FIELD_KIND_U32: self = .int(Int64(value.u32))
        case AMQP_FIELD_KIND_I64: self = .int(value.i64)
        case AMQP_FIELD_KIND_U64: self = .unsigned(value.u64)
        case AMQP_FIELD_KIND_F32: self = .double(Double(value.f32))
        case AMQP_FIELD_KIND_F64: self = .double(value.f64)
        case AMQP_FIELD_KIND_TIMESTAMP: self = .timestamp(value.u64)
        case AMQP_FIELD_KIND_DECIMAL: self = .decimal(scale: value.decimal.decimals, value: value.decimal.value)
        case AMQP_FIELD_KIND_UTF8:
            let raw = UnsafeRawBufferPointer(value.bytes)
            self = String(validating: raw, as: UTF8.self).map(AMQPValue.string) ?? .bytes(Array(raw))
        case AMQP_FIELD_KIND_BYTES: self = .bytes(Array(UnsafeRawBufferPointer(value.bytes)))
        case AMQP_FIELD_KIND_ARRAY where depth < AMQPTable.maximumDepth:
            let entries = UnsafeBufferPointer(start: value.array.entries, count: Int(value.array.num_entries))
            self = .array(entries.map { AMQPValue($0, depth: depth + 1) })
        case AMQP_FIELD_KIND_TABLE where depth < AMQPTable.maximumDepth:
            self = .table(AMQPTable(value.table, depth: depth))
        default: self = .void
        }
    }
}
