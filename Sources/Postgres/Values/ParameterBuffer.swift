/// The parameters of one statement, encoded one behind the other in one piece of memory that is used again and again.
struct ParameterBuffer: ~Copyable {
    /// More memory than this is given back after the statement.
    private static let kept = 1 << 20
    /// The protocol counts parameters in sixteen bits.
    private static let maximumCount = 65_535
    /// Half of what the server takes as one message.
    private static let maximumSize = 1 << 29

    private var writer = ByteWriter(capacity: 16 << 10)
    private var offsets: [Int] = []
    private var lengths: [Int32] = []
    private var formats: [Int32] = []
    private var pointers: [UnsafePointer<CChar>?] = []

    /// Replaces the content.
    mutating func encode(_ values: [PostgresValue]) throws(PostgresError) {
        guard values.count <= Self.maximumCount else {
            throw PostgresError(.invalidParameter, reason: "more than \(Self.maximumCount) parameters")
        }
        writer.reset(keepingAtMost: Self.kept)
        offsets.removeAll(keepingCapacity: true)
        lengths.removeAll(keepingCapacity: true)
        for value in values {
            let start = writer.count
            try value.encode(into: &writer)
            guard writer.count <= Self.maximumSize else {
                throw PostgresError(.invalidParameter, reason: "parameters too large")
            }
            // libpq knows a null by its missing pointer; -1 marks it until the memory has stopped moving.
            let isNull = if case .null = value { true } else { false }
            offsets.append(isNull ? -1 : start)
            lengths.append(Int32(writer.count - start))
        }
        while formats.count < values.count { formats.append(1) }
    }

    /// Lends the arrays that libpq wants. The pointers are good within `body` only.
    mutating func withPointers<Result>(
        _ body: (
            _ count: Int32, _ values: UnsafePointer<UnsafePointer<CChar>?>?, _ lengths: UnsafePointer<Int32>?,
            _ formats: UnsafePointer<Int32>?
        ) -> Result
    ) -> Result {
        pointers.removeAll(keepingCapacity: true)
        let base = writer.base.assumingMemoryBound(to: CChar.self)
        for offset in offsets { pointers.append(offset < 0 ? nil : UnsafePointer(base + offset)) }
        return pointers.withUnsafeBufferPointer { values in
            lengths.withUnsafeBufferPointer { lengths in
                formats.withUnsafeBufferPointer { formats in
                    body(Int32(values.count), values.baseAddress, lengths.baseAddress, formats.baseAddress)
                }
            }
        }
    }
}

/// A growing piece of memory that values are encoded into, kept from statement to statement.
struct ByteWriter: ~Copyable {
    private(set) var base: UnsafeMutableRawPointer
    private(set) var count = 0
    private var capacity: Int

    init(capacity: Int) {
        self.capacity = capacity
        base = .allocate(byteCount: capacity, alignment: 16)
    }

    deinit {
        base.deallocate()
    }

    /// Forgets the content; gives memory back when one huge statement had made it larger than `limit` bytes.
    mutating func reset(keepingAtMost limit: Int) {
        count = 0
        guard capacity > limit else { return }
        base.deallocate()
        capacity = limit
        base = .allocate(byteCount: capacity, alignment: 16)
    }

    /// Appends in network byte order.
    mutating func append(_ value: some FixedWidthInteger) {
        let size = value.bitWidth / 8
        reserve(size)
        base.storeBytes(of: value.bigEndian, toByteOffset: count, as: type(of: value))
        count += size
    }

    mutating func append(bytes: UnsafeRawBufferPointer) {
        guard let source = bytes.baseAddress, !bytes.isEmpty else { return }
        reserve(bytes.count)
        (base + count).copyMemory(from: source, byteCount: bytes.count)
        count += bytes.count
    }

    mutating func overwrite(at offset: Int, with value: Int32) {
        base.storeBytes(of: value.bigEndian, toByteOffset: offset, as: Int32.self)
    }

    private mutating func reserve(_ extra: Int) {
        guard count + extra > capacity else { return }
        let larger = max(capacity * 2, count + extra)
        let memory = UnsafeMutableRawPointer.allocate(byteCount: larger, alignment: 16)
        memory.copyMemory(from: base, byteCount: count)
        base.deallocate()
        base = memory
        capacity = larger
    }
}
