import Core
import Simulation
import Synchronization
import Testing

/// A queue of dead letters in memory: hands out what it is given, again what was not acknowledged.
final class DeadLetterFeed: Sendable {
    private struct State {
        var pending: [Int: (message: Message, origin: DeadLetterOrigin)] = [:]
        var next = 0
        var subscriber: AsyncStream<any DeadLetterDelivery>.Continuation?
    }

    private struct Delivery: DeadLetterDelivery {
        let message: Message
        let origin: DeadLetterOrigin
        let tag: Int
        let feed: DeadLetterFeed

        func acknowledge() async { feed.acknowledge(tag) }

        func reject() async {}
    }

    private let state = Mutex(State())

    var unacknowledged: Int { state.withLock { $0.pending.count } }

    func add(_ message: Message, _ origin: DeadLetterOrigin = .processor) {
        let tag = state.withLock { state in
            state.next += 1
            state.pending[state.next] = (message, origin)
            return state.next
        }
        deliver(tag)
    }

    /// One that no command queue has taken for so long that it is given up.
    func addUnroutable(_ message: Message) {
        var message = message
        message.headers[HeaderName.unroutedSince] = .integer(0)
        add(CopyMarks(World.fingerprinter).marked(message), .unrouted)
    }

    /// What is not acknowledged comes first, as after a lost connection.
    func subscribe() -> AsyncStream<any DeadLetterDelivery> {
        let (stream, continuation) = AsyncStream<any DeadLetterDelivery>.makeStream()
        let tags = state.withLock { state in
            state.subscriber = continuation
            return state.pending.keys.sorted()
        }
        for tag in tags { deliver(tag) }
        return stream
    }

    func finish() {
        state.withLock { $0.subscriber }?.finish()
    }

    private func deliver(_ tag: Int) {
        let (subscriber, deadLetter) = state.withLock { ($0.subscriber, $0.pending[tag]) }
        guard let subscriber, let deadLetter else { return }
        subscriber.yield(Delivery(message: deadLetter.message, origin: deadLetter.origin, tag: tag, feed: self))
    }

    private func acknowledge(_ tag: Int) {
        state.withLock { _ = $0.pending.removeValue(forKey: tag) }
    }
}

extension World {
    func ingester(_ store: (any DeadLetterIntake)? = nil) -> DeadLetterIngester {
        DeadLetterIngester(
            context(),
            store: store ?? self.store,
            sink: broker,
            fingerprinter: Self.fingerprinter
        )
    }

    var service: DeadLetterService {
        DeadLetterService(store: store, sink: broker, time: time, random: random, fingerprinter: Self.fingerprinter)
    }

    /// Runs an ingester beside the work.
    func ingesting(_ feed: DeadLetterFeed, _ work: () async throws -> Void) async throws {
        let (ingester, deadLetters) = (ingester(), feed.subscribe())
        // A child, not a task of its own: those leave the executor of the simulation.
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { await ingester.consume(deadLetters) }
            defer { group.cancelAll() }
            try await work()
            feed.finish()
        }
    }

    /// Ingests what the processor has published to the dead letters since `count` of them.
    func ingest(from count: Int = 0) async throws {
        let feed = DeadLetterFeed()
        for message in deadLetters.dropFirst(count) { feed.add(message) }
        try await ingesting(feed) { try await until { feed.unacknowledged == 0 } }
    }

    func deadLetters(_ states: Set<DeadLetterState>? = nil) async throws -> [DeadLetter] {
        var filter = DeadLetterFilter()
        filter.states = states
        return try await store.deadLetters(filter, limit: 1_000)
    }
}
