package import Core
import Synchronization

/// Queues in memory: hands commands to consumers, takes what they publish, brings back what they defer, and remembers
/// the order of it all.
package final class InMemoryBroker: MessageSink {
    /// What happened, in order.
    package enum Event: Hashable, Sendable {
        case published(Message, Destination, PublishOutcome)
        case acknowledged(Int)
        /// The broker dead-letters it itself.
        case rejected(Int)
    }

    package enum Fault: Hashable, Sendable {
        /// No queue takes it.
        case unroutable
        /// The queue is full.
        case refused
        /// The broker does not answer; the message is lost.
        case lost
        /// The broker has the message, and its confirm is lost.
        case lostConfirm
        /// The exchange is missing or forbidden.
        case unusable
        /// Its queue confirms nothing; the message is not in it yet.
        case silent
        /// The message is refused as it is.
        case unpublishable
    }

    private struct State {
        var subscribers: [AsyncStream<any Delivery>.Continuation] = []
        var backlog: [(message: Message, subscriber: Int?)] = []
        var unacknowledged: [Int: Message] = [:]
        var lastTag = 0
        var events: [Event] = []
        var faults: [(fault: Fault, role: Role)] = []
        /// Which destinations refuse everything, until set otherwise.
        var refusing: Set<Role> = []
        /// Which destinations are missing or forbidden, until set otherwise.
        var unusable: Set<Role> = []
        /// Reply queues that confirm nothing, until set otherwise.
        var silent: Set<String?> = []
        /// Messages on a retry tier.
        var resting = 0
        /// How often everything was given back.
        var returns = 0
    }

    /// A destination without its particulars.
    package enum Role: Hashable, Sendable {
        case replies, retry, deadLetters, commands, events, sweeps
    }

    private let time: VirtualTime
    private let latency: Duration
    private let bringsBack: Bool
    private let state = Mutex(State())

    /// - Parameters:
    ///   - time: what everything here waits by.
    ///   - latency: between a publish and its confirm.
    ///   - bringsBack: whether the retry tiers deliver again what was deferred, when its time is up.
    package init(time: VirtualTime, latency: Duration = .milliseconds(1), bringsBack: Bool = true) {
        self.time = time
        self.latency = latency
        self.bringsBack = bringsBack
    }

    // MARK: Commands

    /// The deliveries of one consumer. What is published from now on goes to the consumers in turn.
    package func subscribe() -> AsyncStream<any Delivery> {
        let (stream, continuation) = AsyncStream<any Delivery>.makeStream()
        let backlog: [(message: Message, subscriber: Int?)] = state.withLock { state in
            state.subscribers.append(continuation)
            defer { state.backlog = [] }
            return state.backlog
        }
        for (message, subscriber) in backlog { deliver(message, to: subscriber) }
        return stream
    }

    /// Publishes a command.
    ///
    /// - Parameters:
    ///   - message: goes to a consumer as it is.
    ///   - subscriber: the consumer that gets it, counted from 0 in the order of their coming; `nil`: in turn.
    package func deliver(_ message: Message, to subscriber: Int? = nil) {
        let handOver: (AsyncStream<any Delivery>.Continuation, Int)? = state.withLock { state in
            guard !state.subscribers.isEmpty else {
                state.backlog.append((message, subscriber))
                return nil
            }
            state.lastTag += 1
            state.unacknowledged[state.lastTag] = message
            let index = subscriber ?? state.lastTag % state.subscribers.count
            return (state.subscribers[index], state.lastTag)
        }
        guard let (continuation, tag) = handOver else { return }
        continuation.yield(InMemoryDelivery(message: message, tag: tag, broker: self))
    }

    /// No delivery comes any more.
    package func finish() {
        let subscribers = state.withLock { $0.subscribers }
        for subscriber in subscribers { subscriber.finish() }
    }

    /// What a lost connection does: everything unacknowledged goes back into the queue, for who subscribes next.
    package func disconnect() {
        let subscribers = state.withLock { state in
            defer { state.subscribers = [] }
            state.backlog = state.unacknowledged.sorted { $0.key < $1.key }.map { ($0.value, nil) } + state.backlog
            state.unacknowledged = [:]
            return state.subscribers
        }
        for subscriber in subscribers { subscriber.finish() }
    }

    /// What a consumer does that gives up its deliveries: as `disconnect`, and those that had a subscription want another.
    package func giveBack() {
        state.withLock { $0.returns += 1 }
        disconnect()
    }

    /// How often everything was given back.
    package var returns: Int { state.withLock { $0.returns } }

    /// On a connection that is gone it does nothing.
    func acknowledge(_ tag: Int) {
        state.withLock { state in
            guard state.unacknowledged.removeValue(forKey: tag) != nil else { return }
            state.events.append(.acknowledged(tag))
        }
    }

    func reject(_ tag: Int) {
        state.withLock { state in
            guard state.unacknowledged.removeValue(forKey: tag) != nil else { return }
            state.events.append(.rejected(tag))
        }
    }

    // MARK: MessageSink

    package func publish(_ message: Message, to destination: Destination) async throws(SinkError) -> PublishOutcome {
        let fault: Fault? = state.withLock { state in
            let role = destination.role
            if let next = state.faults.firstIndex(where: { $0.role == role }) {
                return state.faults.remove(at: next).fault
            }
            if state.unusable.contains(role) { return .unusable }
            if case .replies(let queue) = destination, state.silent.contains(queue) { return .silent }
            return state.refusing.contains(role) ? .refused : nil
        }
        do throws(CancellationError) {
            try await time.sleep(for: latency)
        } catch {
            throw SinkError(detail: "cancelled")
        }
        switch fault {
        case .lost: throw SinkError(detail: "connection_lost")
        case .silent: throw SinkError(.silentDestination, detail: "confirms nothing")
        case .unusable: throw SinkError(.unusableDestination, detail: "404")
        case .unpublishable: throw SinkError(.unpublishable, detail: "406")
        case .unroutable: return record(message, destination, .unroutable)
        case .refused: return record(message, destination, .refused)
        case .lostConfirm:
            _ = store(message, destination)
            throw SinkError(detail: "connection_lost")
        case nil: return store(message, destination)
        }
    }

    private func store(_ message: Message, _ destination: Destination) -> PublishOutcome {
        switch destination {
        case .retry(let tier) where bringsBack:
            state.withLock { $0.resting += 1 }
            time.schedule(after: tier.delay) {
                self.state.withLock { $0.resting -= 1 }
                self.deliver(message)
            }
        case .commands: deliver(message)
        case .retry, .replies, .deadLetters, .event, .sweeps: break
        }
        return record(message, destination, .confirmed)
    }

    private func record(_ message: Message, _ destination: Destination, _ outcome: PublishOutcome) -> PublishOutcome {
        state.withLock { $0.events.append(.published(message, destination, outcome)) }
        return outcome
    }

    // MARK: Faults and insight

    /// Lets the next publishes to that kind of destination go wrong, one after the other.
    package func inject(_ faults: Fault..., into role: Role) {
        state.withLock { $0.faults.append(contentsOf: faults.map { ($0, role) }) }
    }

    package func setRefusing(_ role: Role, _ isRefusing: Bool) {
        state.withLock { state in
            if isRefusing { state.refusing.insert(role) } else { state.refusing.remove(role) }
        }
    }

    package func setUnusable(_ role: Role, _ isUnusable: Bool) {
        state.withLock { state in
            if isUnusable { state.unusable.insert(role) } else { state.unusable.remove(role) }
        }
    }

    /// - Parameter queue: `nil` for the default reply queue.
    package func setSilent(_ queue: String?, _ isSilent: Bool) {
        state.withLock { state in
            if isSilent { _ = state.silent.insert(queue) } else { _ = state.silent.remove(queue) }
        }
    }

    package var events: [Event] { state.withLock { $0.events } }

    /// How many messages wait for who subscribes next.
    package var waiting: Int { state.withLock { $0.backlog.count } }

    package var unacknowledged: Int { state.withLock { $0.unacknowledged.count } }

    /// How many messages are on retry tiers.
    package var resting: Int { state.withLock { $0.resting } }

    /// What the broker has taken for that kind of destination, oldest first.
    package func messages(_ role: Role) -> [(message: Message, destination: Destination)] {
        events.compactMap { event in
            guard case .published(let message, let destination, .confirmed) = event, destination.role == role
            else { return nil }
            return (message, destination)
        }
    }
}

extension Destination {
    package var role: InMemoryBroker.Role {
        switch self {
        case .replies: .replies
        case .retry: .retry
        case .deadLetters: .deadLetters
        case .commands: .commands
        case .event: .events
        case .sweeps: .sweeps
        }
    }
}

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
