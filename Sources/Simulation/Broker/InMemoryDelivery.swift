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
