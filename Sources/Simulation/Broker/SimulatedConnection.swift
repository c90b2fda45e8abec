package import Core

/// A client's connection to a ``SimulatedBroker``, with its consumers.
package struct SimulatedConnection: Sendable {
    let broker: SimulatedBroker
    let number: Int

    /// Ends when the consumer is cancelled or the connection is gone.
    package func consume(_ queue: String, prefetch: Int) -> AsyncStream<any Delivery> {
        broker.consume(queue, prefetch: prefetch, connection: number).1
    }

    /// A subscription that can be left to others in order.
    ///
    /// - Parameter receive: what each delivery passes through.
    package func subscribe(
        _ queue: String,
        prefetch: Int,
        cancels: Bool = false,
        _ receive: @escaping @Sendable (any Delivery) async -> any Delivery
    ) -> SimulatedSource {
        let (consumer, stream) = broker.consume(queue, prefetch: prefetch, connection: number)
        return SimulatedSource(
            broker: broker,
            queue: queue,
            consumer: consumer,
            stream: stream,
            cancels: cancels,
            receive: receive
        )
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

/// A subscription to a queue of a ``SimulatedBroker``.
package struct SimulatedSource: CommandSource {
    let broker: SimulatedBroker
    let queue: String
    let consumer: Int
    let stream: AsyncStream<any Delivery>
    /// As no processor may do it: cancels its consumer when it is to stop.
    let cancels: Bool
    let receive: @Sendable (any Delivery) async -> any Delivery

    package var deliveries: AsyncMapSequence<AsyncStream<any Delivery>, any Delivery> { stream.map(receive) }

    package var isStale: Bool { false }

    package func stop() { broker.stop(consumer, of: queue, cancels: cancels) }

    package func close() async { broker.close(consumer, of: queue) }
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
