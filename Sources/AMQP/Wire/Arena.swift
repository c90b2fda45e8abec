import CRabbitMQ

/// Scratch memory for what goes into one C call: reset before each, so that encoding a message allocates nothing.
struct Arena: ~Copyable {
    private static let blockSize = 16 * 1024

    private let block = UnsafeMutableRawPointer.allocate(byteCount: blockSize, alignment: 16)
    private var used = 0
    /// What did not fit into the block.
    private var extra: [UnsafeMutableRawPointer] = []

    deinit {
        block.deallocate()
        for pointer in extra { pointer.deallocate() }
    }

    mutating func reset() {
        used = 0
        for pointer in extra { pointer.deallocate() }
        extra.removeAll()
    }

    mutating func allocate(byteCount: Int) -> UnsafeMutableRawPointer {
        let aligned = (byteCount + 15) & ~15
        if used + aligned <= Self.blockSize {
            defer { used += aligned }
            return block + used
        }
        let pointer = UnsafeMutableRawPointer.allocate(byteCount: max(byteCount, 1), alignment: 16)
        extra.append(pointer)
        return pointer
    }
}

extension Arena {
    mutating func bytes(_ text: String) -> amqp_bytes_t {
        var text = text
        return text.withUTF8 { bytes(UnsafeRawBufferPointer($0)) }
    }

    mutating func bytes(_ source: UnsafeRawBufferPointer) -> amqp_bytes_t {
        guard let base = source.baseAddress, !source.isEmpty else { return amqp_bytes_t(len: 0, bytes: nil) }
        let copy = allocate(byteCount: source.count)
        copy.copyMemory(from: base, byteCount: source.count)
        return amqp_bytes_t(len: source.count, bytes: copy)
    }

    /// The caller has checked `encodedSize()`, and so the depth.
    mutating func table(_ table: AMQPTable) -> amqp_table_t {
        guard !table.hasNoEntry else { return amqp_table_t(num_entries: 0, entries: nil) }
        let count = table.count + table.unnamed.count
        let entries = allocate(byteCount: count * MemoryLayout<amqp_table_entry_t>.stride)
            .bindMemory(to: amqp_table_entry_t.self, capacity: count)
        for (index, entry) in table.enumerated() {
            let encoded = amqp_table_entry_t(key: bytes(entry.key), value: value(entry.value))
            (entries + index).initialize(to: encoded)
        }
        for (index, entry) in table.unnamed.enumerated() {
            let name = entry.name.withUnsafeBytes { bytes($0) }
            (entries + table.count + index).initialize(to: amqp_table_entry_t(key: name, value: value(entry.value)))
        }
        return amqp_table_t(num_entries: Int32(count), entries: entries)
    }

    private mutating func array(_ values: [AMQPValue]) -> amqp_array_t {
        guard !values.isEmpty else { return amqp_array_t(num_entries: 0, entries: nil) }
        let entries = allocate(byteCount: values.count * MemoryLayout<amqp_field_value_t>.stride)
            .bindMemory(to: amqp_field_value_t.self, capacity: values.count)
        for (index, element) in values.enumerated() {
            let encoded = value(element)
            (entries + index).initialize(to: encoded)
        }
        return amqp_array_t(num_entries: Int32(values.count), entries: entries)
    }

    private mutating func value(_ value: AMQPValue) -> amqp_field_value_t {
        var field = amqp_field_value_t()
        func set(_ kind: amqp_field_value_kind_t) { field.kind = UInt8(truncatingIfNeeded: kind.rawValue) }
        switch value {
        case .void: set(AMQP_FIELD_KIND_VOID)
        case .bool(let value):
            set(AMQP_FIELD_KIND_BOOLEAN)
            field.value.boolean = value ? 1 : 0
        case .int(let value):
            set(AMQP_FIELD_KIND_I64)
            field.value.i64 = value
        case .unsigned(let value):
            // RabbitMQ reads the unsigned kind as signed, so it is used only where no other can carry the number.
            set(value > UInt64(Int64.max) ? AMQP_FIELD_KIND_U64 : AMQP_FIELD_KIND_I64)
            field.value.u64 = value
        case .double(let value):
            set(AMQP_FIELD_KIND_F64)
            field.value.f64 = value
        case .string(let value):
            set(AMQP_FIELD_KIND_UTF8)
            field.value.bytes = bytes(value)
        case .bytes(let value):
            set(AMQP_FIELD_KIND_BYTES)
            field.value.bytes = value.withUnsafeBytes { bytes($0) }
        case .timestamp(let value):
            set(AMQP_FIELD_KIND_TIMESTAMP)
            field.value.u64 = value
        case .decimal(let scale, let value):
            set(AMQP_FIELD_KIND_DECIMAL)
            field.value.decimal = amqp_decimal_t(decimals: scale, value: value)
        case .array(let values):
            set(AMQP_FIELD_KIND_ARRAY)
            field.value.array = array(values)
        case .table(let value):
            set(AMQP_FIELD_KIND_TABLE)
            field.value.table = table(value)
        }
        return field
    }
}
