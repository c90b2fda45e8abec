/// Publishes what waits in the outbox, confirmed, in order per payment, at least once: a crash between the publish and its note
/// publishes it again, with the same message id.
///
/// Any number of relays may run: what one has taken, the others leave alone.
package struct OutboxRelay: Sendable {
    private let outbox: any Outbox
    private let sink: any MessageSink
    private let signal: WakeUpSignal
    private let time: any TimeSource
    private let random: any RandomSource
    private let observer: any ProcessorObserver
    private let policy: RetryPolicy
    private let batch: Int
    private let period: Duration

    /// Longer than any publish takes.
    package static let hold = Duration.seconds(60)
    /// Between two tries at a message, at most.
    package static let pauseLimit = Duration.seconds(300)

    /// `period`: how often the outbox is checked unasked: what others have written raises no signal here.
    package init(
        outbox: any Outbox,
        sink: any MessageSink,
        signal: WakeUpSignal,
        time: any TimeSource,
        random: any RandomSource,
        observer: any ProcessorObserver,
        policy: RetryPolicy = RetryPolicy(),
        batch: Int = 100,
        period: Duration = .seconds(2)
    ) {
        self.outbox = outbox
        self.sink = sink
        self.signal = signal
        self.time = time
        self.random = random
        self.observer = observer
        self.policy = policy
        self.batch = batch
        self.period = period
    }

    /// Relays until the task is cancelled.
    package func run() async {
        do throws(CancellationError) {
            while true {
                try await relayAll()
                try await signal.wait(atMost: period, time)
            }
        } catch {
            // What is published and not noted is published again.
        }
    }

    /// Relays until nothing is due.
    package func relayAll() async throws(CancellationError) {
        do throws(StoreError) {
            try await outbox.enqueueAwaited(limit: batch)
        } catch {
            if Task.isCancelled { throw CancellationError() }
            observer.observe(.storeFailed(error))
        }
        do throws(StoreError) {
            while try await relayOnce() > 0 {
                if Task.isCancelled { throw StoreError(.unavailable, detail: "cancelled") }
            }
        } catch {
            if Task.isCancelled { throw CancellationError() }
            observer.observe(.storeFailed(error))
        }
    }

    /// - Returns: how many were taken.
    private func relayOnce() async throws(StoreError) -> Int {
        let entries = try await outbox.take(limit: batch, hold: Self.hold)
        guard !entries.isEmpty else { return 0 }
        let endings = await withTaskGroup(of: OutboxEnding.self) { group in
            for entry in entries { group.addTask { await publish(entry) } }
            return await group.reduce(into: [OutboxEnding]()) { $0.append($1) }
        }
        try await outbox.note(endings.sorted { $0.entry.id < $1.entry.id })
        return entries.count
    }

    private func publish(_ entry: OutboxEntry) async -> OutboxEnding {
        let content = entry.content
        do throws(SinkError) {
            switch try await sink.publish(content.message, to: content.destination) {
            case .confirmed: return OutboxEnding(entry, .sent)
            case .unroutable where content.destination.isOurs:
                observer.observe(.publishFailed("outbox: no such queue: \(content.destination)"))
            case .unroutable: return undeliverable(entry)
            // Counted when it was put into the outbox.
            case .refused where content.destination.isEvent: break
            case .refused: observer.observe(.publishFailed("outbox: refused by the broker"))
            }
        } catch {
            // A queue that is silent is named by who finds it so.
            let isNamed = error.kind == .unusableDestination && content.destination.isEvent
            if !isNamed, error.kind != .silentDestination {
                observer.observe(.publishFailed(error.description))
            }
            if error.kind == .unpublishable { return undeliverable(entry) }
        }
        return OutboxEnding(entry, .postponed(pause(after: entry.attempts)))
    }

    private func undeliverable(_ entry: OutboxEntry) -> OutboxEnding {
        if case .replies(let queue) = entry.content.destination {
            observer.observe(.replyUndeliverable(replyTo: queue, CommandIdentity(entry.content.message)))
        }
        return OutboxEnding(entry, .undeliverable)
    }

    /// Doubles from a second on.
    private func pause(after attempts: Int) -> Duration {
        let window = min(Duration.seconds(1 << min(attempts, 10)), Self.pauseLimit)
        return window / 2 + .microseconds(Int64(random.next() % UInt64(max((window / 2).microseconds, 1))))
    }
}
