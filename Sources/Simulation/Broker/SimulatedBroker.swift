package import Core
import Synchronization

/// RabbitMQ in memory: the exchanges and queues of a ``Topology`` with what of their semantics decides about messages. Quorum
/// queues, single active consumers, redelivery with its count and limit, time to live, dead-lettering with its cycle
/// detection, returns and refusals. What was confirmed is never lost by it.
package final class SimulatedBroker: Sendable {
    private struct State {
        var queues: [String: SimulatedQueue] = [:]
        var lastNumber: UInt64 = 0
        var lastConsumer = 0
        var lastConnection = 0
        var open: Set<Int> = []
        var isDown = false
        /// Exchanges that are missing or forbidden.
        var unusable: Set<String> = []
        /// Queues without a majority.
        var silent: Set<String> = []
        /// What a listener's full queue does to the events.
        var refusesEvents = false
        var log = BrokerLog()
        var onDelivery: (@Sendable (Message) -> Void)?
    }

    let time: VirtualTime
    package let names: BrokerNames
    private let exchanges: [String: String]
    private let bindings: [String: [Topology.Binding]]
    private let queueNames: [String]
    private let trace: Trace
    private let state = Mutex(State())

    /// - Parameter deliveryLimit: instead of the topology's.
    package init(time: VirtualTime, topology: Topology, names: BrokerNames, trace: Trace, deliveryLimit: Int64? = nil) {
        self.time = time
        self.names = names
        self.trace = trace
        exchanges = Dictionary(uniqueKeysWithValues: topology.exchanges.map { ($0.name, $0.type) })
        bindings = Dictionary(grouping: topology.bindings, by: \.exchange)
        queueNames = topology.queues.map(\.name)
        state.withLock { state in
            for queue in topology.queues {
                var arguments = queue.arguments
                if let deliveryLimit, let limit = arguments["x-delivery-limit"]?.integer, limit < 1_000 {
                    arguments["x-delivery-limit"] = .integer(deliveryLimit)
                }
                state.queues[queue.name] = SimulatedQueue(queue.name, arguments)
            }
        }
    }

    /// - Parameter watch: hears of each delivery from a command queue, in the order in which the broker hands them over.
    func watchDeliveries(_ watch: @escaping @Sendable (Message) -> Void) {
        state.withLock { $0.onDelivery = watch }
    }

    // MARK: Clients

    /// `nil` while the broker is down.
    package func connect() -> SimulatedConnection? {
        state.withLock { state in
            guard !state.isDown else { return nil }
            state.lastConnection += 1
            state.open.insert(state.lastConnection)
            return SimulatedConnection(broker: self, number: state.lastConnection)
        }
    }

    /// As a mandatory publish with confirms ends; `nil` while the broker is down.
    package func publish(_ message: Message, exchange: String, routingKey: String) -> PublishOutcome? {
        state.withLock { state in
            guard !state.isDown else { return nil }
            if exchange == names.eventsExchange {
                if state.refusesEvents { return .refused }
                // Somebody listens to them all.
                trace.note(.notified, UInt64(state.log.events.count), message, "to \(routingKey)")
                state.log.events.append(message)
                return .confirmed
            }
            let targets = route(message, exchange, routingKey, state)
            guard !targets.isEmpty else {
                state.log.returned.append((routingKey, message))
                return .unroutable
            }
            guard targets.allSatisfy({ state.queues[$0]?.isFull != true }) else { return .refused }
            for target in targets { enqueue(message, in: target, &state) }
            return .confirmed
        }
    }

    /// - Returns: the consumer's number, and its deliveries.
    func consume(_ queue: String, prefetch: Int, connection: Int) -> (number: Int, AsyncStream<any Delivery>) {
        let (stream, continuation) = AsyncStream<any Delivery>.makeStream()
        let number = state.withLock { state in
            state.lastConsumer += 1
            guard state.open.contains(connection) else {
                continuation.finish()
                return state.lastConsumer
            }
            state.queues[queue]?.consumers.append(
                QueueConsumer(
                    number: state.lastConsumer,
                    connection: connection,
                    prefetch: prefetch,
                    stream: continuation
                )
            )
            pump(queue, &state)
            return state.lastConsumer
        }
        return (number, stream)
    }

    /// Its deliveries end.
    ///
    /// - Parameter cancels: whether the broker is told, which lets the next consumer read on; else it goes on setting messages aside.
    func stop(_ consumer: Int, of queue: String, cancels: Bool) {
        state.withLock { state in
            guard let index = state.queues[queue]?.consumers.firstIndex(where: { $0.number == consumer }) else {
                return
            }
            state.queues[queue]?.consumers[index].stream.finish()
            guard cancels else { return }
            state.queues[queue]?.consumers[index].isCancelled = true
            pump(queue, &state)
        }
    }

    /// What the end of its channel does: what is unacknowledged is next, before anybody else gets anything.
    func close(_ consumer: Int, of queue: String) {
        state.withLock { state in
            let left = state.queues[queue]?.leave { $0.number == consumer } ?? []
            putBack(left, into: queue, &state)
        }
    }

    /// What `basic.cancel` does: what was delivered may still be acknowledged, and the next consumer is active at once.
    func cancelConsumers(of connection: Int) {
        state.withLock { state in
            for name in queueNames {
                for index in state.queues[name]?.consumers.indices ?? 0..<0
                where state.queues[name]?.consumers[index].connection == connection {
                    state.queues[name]?.consumers[index].isCancelled = true
                    state.queues[name]?.consumers[index].stream.finish()
                }
                pump(name, &state)
            }
        }
    }

    func isOpen(_ connection: Int) -> Bool { state.withLock { $0.open.contains(connection) } }

    func close(_ connection: Int) {
        state.withLock { close(connection, &$0) }
    }

    func acknowledge(_ tag: UInt64, queue: String, connection: Int) {
        take(tag, queue: queue, connection: connection) { entry, _ in
            trace.note(.acknowledged, entry.number, entry.message)
        }
    }

    func reject(_ tag: UInt64, queue: String, connection: Int) {
        take(tag, queue: queue, connection: connection) { entry, state in
            trace.note(.acknowledged, entry.number, entry.message, "as rejected")
            deadLetter(entry.message, from: queue, .rejected, &state)
        }
    }

    /// Takes a delivery off its consumer, and delivers what it has room for then. Nothing where its connection is gone.
    private func take(
        _ tag: UInt64,
        queue: String,
        connection: Int,
        _ end: (QueuedMessage, inout State) -> Void
    ) {
        state.withLock { state in
            guard state.open.contains(connection),
                let entry = state.queues[queue]?.unacknowledged.removeValue(forKey: tag)
            else { return }
            if let index = state.queues[queue]?.consumers.firstIndex(where: { $0.number == entry.consumer }) {
                state.queues[queue]?.consumers[index].unacknowledged -= 1
            }
            end(entry.message, &state)
            pump(queue, &state)
        }
    }

    // MARK: Faults and insight

    /// Closes every connection and takes no new one.
    package func setDown(_ isDown: Bool) {
        state.withLock { state in
            state.isDown = isDown
            guard isDown else { return }
            for connection in state.open.sorted() { close(connection, &state) }
        }
    }

    package func setFull(_ queue: String, _ isFull: Bool) {
        state.withLock { $0.queues[queue]?.isFull = isFull }
    }

    /// It has been deleted, or may not be written to; the broker itself keeps what it would dead-letter there, and goes on.
    package func setUnusable(_ exchange: String, _ isUnusable: Bool) {
        state.withLock { state in
            if isUnusable { state.unusable.insert(exchange) } else { state.unusable.remove(exchange) }
        }
    }

    func isUnusable(_ exchange: String) -> Bool { state.withLock { $0.unusable.contains(exchange) } }

    /// It confirms nothing; what it has been sent is in it once it has its majority again.
    package func setSilent(_ queue: String, _ isSilent: Bool) {
        state.withLock { state in
            if isSilent { state.silent.insert(queue) } else { state.silent.remove(queue) }
        }
    }

    func isSilent(_ queue: String) -> Bool { state.withLock { $0.silent.contains(queue) } }

    /// A listener's queue is full: the broker refuses every event.
    package func setRefusesEvents(_ refuses: Bool) {
        state.withLock { $0.refusesEvents = refuses }
    }

    /// Declares a queue without any policy.
    package func declare(_ queue: String) {
        state.withLock { state in
            if state.queues[queue] == nil {
                state.queues[queue] = SimulatedQueue(queue)
            }
        }
    }

    package func delete(_ queue: String) {
        state.withLock { _ = $0.queues.removeValue(forKey: queue) }
    }

    package var log: BrokerLog { state.withLock { $0.log } }

    package func contents(_ queue: String) -> [Message] {
        state.withLock { state in
            return state.queues[queue]?.messages ?? []
        }
    }

    /// The ids of the commands that are on a retry tier or in a command queue, delivered or not.
    var undecidedMessages: Set<String> {
        state.withLock { state in
            let prefixes = [names.retryExchange, names.commandsExchange]
            let holding = queueNames.filter { name in prefixes.contains { name.hasPrefix($0) } }
            return Set(holding.flatMap { state.queues[$0]?.messages ?? [] }.compactMap(\.messageID))
        }
    }

    /// The messages of all queues that the processors have to empty.
    package var backlog: Int {
        state.withLock { state in
            queueNames.reduce(0) { sum, name in
                guard let queue = state.queues[name], isProcessed(queue) else { return sum }
                return sum + queue.count
            }
        }
    }

    private func isProcessed(_ queue: SimulatedQueue) -> Bool {
        queue.deadLetterExchange != nil || queue.name == names.deadLetters || queue.name == names.unrouted
    }

    // MARK: Inside

    private func close(_ connection: Int, _ state: inout State) {
        guard state.open.remove(connection) != nil else { return }
        for name in queueNames {
            let left = state.queues[name]?.leave { $0.connection == connection } ?? []
            putBack(left, into: name, &state)
        }
    }

    private func putBack(_ left: [QueuedMessage], into name: String, _ state: inout State) {
        for var message in left {
            message.returns += 1
            if message.returns > state.queues[name]?.deliveryLimit ?? .max {
                deadLetter(message.message, from: name, .deliveryLimit, &state)
            } else {
                state.queues[name]?.returned.append(message)
            }
        }
        pump(name, &state)
    }

    private func enqueue(_ message: Message, in queue: String, _ state: inout State) {
        state.lastNumber += 1
        let number = state.lastNumber
        trace.note(.enqueued, number, message, "into \(queue)")
        // Somebody reads the replies all the time.
        guard !queue.hasPrefix(ReplyAddress.prefix), queue != names.repliesQueue else {
            state.log.replies.append((queue, message))
            return
        }
        if queue == names.deadLetters { state.log.deadLetters += 1 }
        state.queues[queue]?.ready.append(QueuedMessage(number: number, message: message))
        if let timeToLive = state.queues[queue]?.timeToLive {
            state.log.deferred += queue.hasPrefix(names.retryExchange) ? 1 : 0
            time.schedule(after: timeToLive) { self.expire(number, in: queue) }
        } else if let milliseconds = message.headers[Self.expiration]?.integer,
            state.queues[queue]?.deadLetterExchange != nil
        {
            time.schedule(after: .milliseconds(milliseconds)) { self.expire(number, in: queue) }
        }
        pump(queue, &state)
    }

    private func pump(_ name: String, _ state: inout State) {
        while let index = state.queues[name]?.nextConsumer, let consumer = state.queues[name]?.consumers[index],
            let queued = state.queues[name]?.takeNext()
        {
            state.lastNumber += 1
            let tag = state.lastNumber
            state.queues[name]?.unacknowledged[tag] = (queued, consumer.number)
            state.queues[name]?.consumers[index].unacknowledged += 1
            var message = queued.message
            if queued.returns > 0 {
                message.headers["x-delivery-count"] = .integer(Int64(queued.returns))
                state.log.redeliveries += 1
            }
            trace.note(.delivered, queued.number, message, "from \(name), returned \(queued.returns) times")
            let delivery = SimulatedDelivery(
                message: message,
                tag: tag,
                queue: name,
                connection: consumer.connection,
                broker: self
            )
            if name.hasPrefix(names.commandsExchange) { state.onDelivery?(message) }
            consumer.stream.yield(delivery)
        }
    }

    /// What stands for the property `expiration`, in milliseconds: a header that no copy of ours carries on.
    static let expiration = "x-expiration"

    private func expire(_ number: UInt64, in queue: String) {
        state.withLock { state in
            guard let position = state.queues[queue]?.ready.firstIndex(where: { $0.number == number }),
                let message = state.queues[queue]?.ready.remove(at: position)
            else { return }
            deadLetter(message.message, from: queue, .expired, &state)
        }
    }

    private func deadLetter(_ message: Message, from name: String, _ reason: DeathRecord.Reason, _ state: inout State) {
        guard let queue = state.queues[name], let exchange = queue.deadLetterExchange else { return }
        var message = message
        message.headers[Self.expiration] = nil
        var deaths = DeathRecord(message)
        deaths.add(name, reason, at: time.now())
        message.headers[DeathRecord.header] = deaths.value
        if reason == .deliveryLimit { state.log.overDeliveryLimit += 1 }
        for target in route(message, exchange, queue.deadLetterKey ?? "", state) {
            if reason != .rejected, deaths.isCycle(target) {
                trace.note(.dropped, 0, message, "as a cycle, on its way to \(target)")
            } else {
                enqueue(message, in: target, &state)
            }
        }
    }

    private func route(_ message: Message, _ exchange: String, _ key: String, _ state: State) -> [String] {
        guard !exchange.isEmpty else { return state.queues[key] == nil ? [] : [key] }
        let bindings = bindings[exchange] ?? []
        switch exchanges[exchange] {
        case "x-consistent-hash":
            // Any function of the header will do, as long as it is the same for the same payment.
            let payment = message.headers[HeaderName.paymentID]?.string ?? ""
            let hash = payment.utf8.reduce(0xcbf2_9ce4_8422_2325 as UInt64) { ($0 ^ UInt64($1)) &* 0x100_0000_01b3 }
            return bindings.isEmpty ? [] : [bindings[Int(hash >> 32) % bindings.count].queue]
        case "fanout": return bindings.map(\.queue)
        default: return bindings.filter { $0.key == key }.map(\.queue)
        }
    }
}
