package import Core

/// A message that an ``InMemoryBroker`` has handed over.
package struct InMemoryDelivery: Delivery {
    package let message: Message
    package let tag: Int
    private let broker: InMemoryBroker

    init(message: Message, tag: Int, broker: InMemoryBroker) {
        self.message = message
        self.tag = tag
        self.broker = broker
    }

    package func acknowledge() async {
        broker.acknowledge(tag)
    }

    package func reject() async {
        broker.reject(tag)
    }
}

/// A subscription to an ``InMemoryBroker``, which nobody leaves to others.
package struct InMemorySource: CommandSource {
    package let deliveries: AsyncStream<any Delivery>

    package init(_ deliveries: AsyncStream<any Delivery>) {
        self.deliveries = deliveries
    }

    package var isStale: Bool { false }

    package func stop() {}

    package func close() async {}
}
