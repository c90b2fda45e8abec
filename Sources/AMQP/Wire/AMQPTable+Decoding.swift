import CRabbitMQ

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
