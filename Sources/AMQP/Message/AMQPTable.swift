/// Headers or arguments: names and values, in the order of the wire. Equality does not look at the order.
///
/// Small by nature, so a lookup walks it. Of a name that arrives twice the first counts, as in RabbitMQ.
package struct AMQPTable: Sendable {
    package typealias Element = (key: String, value: AMQPValue)

    private var entries: [Element] = []
    /// The entries whose names are not UTF-8, carried along for a copy. No lookup and no walk finds them.
    package var unnamed: [Unnamed] = []

    package struct Unnamed: Sendable, Equatable {
        package let name: [UInt8]
        package let value: AMQPValue

        package init(name: [UInt8], value: AMQPValue) {
            self.name = name
            self.value = value
        }
    }

    package init() {}

    package init(_ elements: some Sequence<Element>) {
        entries = Array(elements)
    }

    package subscript(key: String) -> AMQPValue? {
        get { entries.first { $0.key == key }?.value }
        set {
            let index = entries.firstIndex { $0.key == key }
            switch (index, newValue) {
            case (let index?, let value?): entries[index].value = value
            case (let index?, nil): entries.remove(at: index)
            case (nil, let value?): entries.append((key, value))
            case (nil, nil): break
            }
        }
    }

    mutating func reserveCapacity(_ count: Int) {
        entries.reserveCapacity(count)
    }

    /// Whether nothing of it would be on the wire.
    var hasNoEntry: Bool { entries.isEmpty && unnamed.isEmpty }

    mutating func append(_ key: String, _ value: AMQPValue) {
        entries.append((key, value))
    }
}

extension AMQPTable: RandomAccessCollection {
    package var startIndex: Int { 0 }
    package var endIndex: Int { entries.count }
    package subscript(position: Int) -> Element { entries[position] }
}

extension AMQPTable: Equatable {
    package static func == (left: AMQPTable, right: AMQPTable) -> Bool {
        left.count == right.count && left.unnamed == right.unnamed && left.allSatisfy { right[$0.key] == $0.value }
    }
}

extension AMQPTable: ExpressibleByDictionaryLiteral {
    package init(dictionaryLiteral elements: (String, AMQPValue)...) {
        entries = elements.map { (key: $0.0, value: $0.1) }
    }
}

/// A value in a table of headers or arguments.
///
/// Integers of every width arrive as `int`; only the unsigned 64-bit kind, which RabbitMQ itself never makes, as
/// `unsigned`. A text that is not UTF-8 arrives as `bytes`.
package indirect enum AMQPValue: Sendable, Equatable {
    case bool(Bool)
    case int(Int64)
    case unsigned(UInt64)
    case double(Double)
    case string(String)
    case bytes([UInt8])
    /// Seconds since 1970.
    case timestamp(UInt64)
    /// `value` × 10^-`scale`.
    case decimal(scale: UInt8, value: UInt32)
    case array([AMQPValue])
    case table(AMQPTable)
    case void
}

extension AMQPValue {
    package var stringValue: String? {
        guard case .string(let value) = self else { return nil }
        return value
    }

    package var intValue: Int64? {
        switch self {
        case .int(let value): value
        case .unsigned(let value): Int64(exactly: value)
        default: nil
        }
    }

    package var boolValue: Bool? {
        guard case .bool(let value) = self else { return nil }
        return value
    }

    package var arrayValue: [AMQPValue]? {
        guard case .array(let value) = self else { return nil }
        return value
    }

    package var tableValue: AMQPTable? {
        guard case .table(let value) = self else { return nil }
        return value
    }
}

extension AMQPValue: ExpressibleByStringLiteral, ExpressibleByIntegerLiteral, ExpressibleByBooleanLiteral {
    package init(stringLiteral value: String) { self = .string(value) }
    package init(integerLiteral value: Int64) { self = .int(value) }
    package init(booleanLiteral value: Bool) { self = .bool(value) }
}

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
