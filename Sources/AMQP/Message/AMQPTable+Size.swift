extension AMQPTable {
    /// Deeper nesting is refused when sent and cut off when received: both sides walk a table recursively.
    static let maximumDepth = 32

    /// The bytes the table takes on the wire, or `nil` when it cannot be encoded: a name above 255 bytes, whose length
    /// librabbitmq would cut short without a word, or nesting deeper than `maximumDepth`.
    func encodedSize(depth: Int = 0) -> Int? {
        guard depth < Self.maximumDepth else { return nil }
        var size = 4
        for (key, value) in self {
            guard key.utf8.count <= 255, let valueSize = value.encodedSize(depth: depth + 1) else { return nil }
            size += 1 + key.utf8.count + valueSize
        }
        for entry in unnamed {
            guard entry.name.count <= 255, let valueSize = entry.value.encodedSize(depth: depth + 1) else { return nil }
            size += 1 + entry.name.count + valueSize
        }
        return size
    }
}

extension AMQPValue {
    fileprivate func encodedSize(depth: Int) -> Int? {
        switch self {
        case .void: return 1
        case .bool: return 2
        case .decimal: return 6
        case .int, .unsigned, .double, .timestamp: return 9
        case .string(let value): return 5 + value.utf8.count
        case .bytes(let value): return 5 + value.count
        case .table(let value): return value.encodedSize(depth: depth).map { 1 + $0 }
        case .array(let values):
            guard depth < AMQPTable.maximumDepth else { return nil }
            var size = 5
            for value in values {
                guard let valueSize = value.encodedSize(depth: depth + 1) else { return nil }
                size += valueSize
            }
            return size
        }
    }
}
