package import Core

/// A client's connection to a ``SimulatedBroker``, with its consumers.
package struct SimulatedConnection: Sendable {
    let broker: SimulatedBroker
    let number: Int

    /// Ends when the consumer is cancelled or the connection is gone.
    package func consume(_ queue: String, prefetch: Int) -> AsyncStream<any Delivery> {
        broker.consume(queue, prefetch: prefetch, connection: number)
    }

    package func cancelConsumers() {
        broker.cancelConsumers(of: number)
    }

    var isOpen: Bool { broker.isOpen(number) }

    /// What it leaves unacknowledged is delivered again.
    package func close() {
        broker.close(number)
    }
}

/// A message that a ``SimulatedBroker`` has handed over.
struct SimulatedDelivery: Delivery {
    let message: Message
    let tag: UInt64
    let queue: String
    let connection: Int
    let broker: SimulatedBroker

    func acknowledge() async {
        broker.acknowledge(tag, queue: queue, connection: connection)
    }

    func reject() async {
        broker.reject(tag, queue: queue, connection: connection)
    }
}
