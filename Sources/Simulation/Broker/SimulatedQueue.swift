package import Core

/// A message in a queue.
struct QueuedMessage {
    /// In the order of arrival at the broker; a dead-lettered message gets a new one.
    let number: UInt64
    var message: Message
    /// How often it was delivered and came back.
    var returns = 0
}

/// Someone who reads a queue.
struct QueueConsumer {
    let number: Int
    let connection: Int
    let prefetch: Int
    let stream: AsyncStream<any Delivery>.Continuation
    var unacknowledged = 0
    var isCancelled = false
}

/// A quorum queue, as far as its behaviour matters: what its arguments in the topology say.
struct SimulatedQueue {
    let name: String
    let isSingleActive: Bool
    let deliveryLimit: Int64
    let deadLetterExchange: String?
    let deadLetterKey: String?
    let timeToLive: Duration?

    var ready: [QueuedMessage] = []
    /// Came back: delivered again before anything else, first in, first out, whatever their places were before.
    var returned: [QueuedMessage] = []
    /// In the order of their subscription.
    var consumers: [QueueConsumer] = []
    var unacknowledged: [UInt64: (message: QueuedMessage, consumer: Int)] = [:]
    /// Refuses every publish, as a full queue does.
    var isFull = false

    init(_ name: String, _ arguments: [String: HeaderValue] = [:]) {
        self.name = name
        isSingleActive = arguments["x-single-active-consumer"] == .bool(true)
        deliveryLimit = arguments["x-delivery-limit"]?.integer ?? .max
        deadLetterExchange = arguments["x-dead-letter-exchange"]?.string
        deadLetterKey = arguments["x-dead-letter-routing-key"]?.string
        timeToLive = (arguments["x-message-ttl"]?.integer).map { .milliseconds($0) }
    }

    /// Everything that is in it, delivered or not.
    var messages: [Message] {
        let held = unacknowledged.sorted { $0.key < $1.key }.map(\.value.message)
        return (returned + held + ready).map(\.message)
    }

    var count: Int { ready.count + returned.count + unacknowledged.count }

    /// The consumer that gets the next message: the first one alone, or whoever has least to do.
    var nextConsumer: Int? {
        let active = consumers.indices.filter { !consumers[$0].isCancelled }
        guard let first = active.first else { return nil }
        let chosen =
            isSingleActive
            ? first : active.min { consumers[$0].unacknowledged < consumers[$1].unacknowledged } ?? first
        return consumers[chosen].unacknowledged < consumers[chosen].prefetch ? chosen : nil
    }

    mutating func takeNext() -> QueuedMessage? {
        if !returned.isEmpty { return returned.removeFirst() }
        return ready.isEmpty ? nil : ready.removeFirst()
    }

    /// Takes what consumers leave behind that are gone, oldest first.
    mutating func leave(_ isGone: (QueueConsumer) -> Bool) -> [QueuedMessage] {
        let gone = Set(consumers.filter(isGone).map(\.number))
        guard !gone.isEmpty else { return [] }
        for consumer in consumers where gone.contains(consumer.number) { consumer.stream.finish() }
        consumers.removeAll { gone.contains($0.number) }
        let tags = unacknowledged.filter { gone.contains($0.value.consumer) }.map(\.key).sorted()
        return tags.compactMap { unacknowledged.removeValue(forKey: $0)?.message }
    }
}

/// What the world outside sees of the broker.
package struct BrokerLog: Sendable {
    /// Everything that reached a reply queue, in order.
    package var replies: [(queue: String, message: Message)] = []
    /// What was returned to its publisher because no queue took it.
    package var returned: [(routingKey: String, message: Message)] = []
    /// Everything that was told to whoever listens, in order.
    package var events: [Message] = []
    /// How many messages reached the dead letters.
    package var deadLetters = 0
    package var deferred = 0
    package var redeliveries = 0
    package var overDeliveryLimit = 0
}
