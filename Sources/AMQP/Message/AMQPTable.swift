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
