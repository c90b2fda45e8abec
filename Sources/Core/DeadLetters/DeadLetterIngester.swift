/// Moves dead letters from the broker into the store: kept in one commit, then acknowledged. Any number may run at the same
/// time: the store keeps one row per failure.
///
/// A message that was delivered too often is, most often, the innocent neighbour of one that ends the processor. It is
/// sent back, uncut, by way of the retry tiers, one after the other, so that each gets its turn alone; up to three
/// times.
///
/// What no command queue took goes back, uncut, until one is bound again; what cannot be routed for so long is kept. A command that
/// expired in its queue is answered, and kept by nobody.
package struct DeadLetterIngester: Sendable {
    private let store: any DeadLetterIntake
    private let sink: any MessageSink
    private let time: any TimeSource
    private let random: any RandomSource
    private let observer: any ProcessorObserver
    private let reader: DeadLetterReader
    private let policy: RetryPolicy
    private let expired: ExpiredCommands
    private let marks: CopyMarks
    private let cards: CardIntake

    /// The retry tiers of the first, second and third return.
    package static let returns: [RetryTier] = [.seconds5, .seconds30, .minutes2]

    /// Between two messages that are sent back: longer than a processor needs for one.
    package static let spacing = Duration.seconds(1)

    /// How long a message that no command queue takes is tried again.
    package static let unroutedLimit = Duration.seconds(600)
    /// Between two tries: the same one always, so that the commands of a payment keep their order.
    private static let unroutedTier = RetryTier.seconds5

    package init(
        _ context: ProcessorContext,
        store: any DeadLetterIntake,
        sink: any MessageSink,
        fingerprinter: Fingerprinter
    ) {
        self.store = store
        marks = CopyMarks(fingerprinter)
        self.sink = MarkingSink(sink, marks)
        time = context.time
        random = context.random
        observer = context.observer
        policy = context.policy
        cards = context.cards
        reader = DeadLetterReader(fingerprinter: fingerprinter, cards: context.cards)
        expired = ExpiredCommands(context, sink: self.sink)
    }

    /// Returns when the deliveries have ended or the task is cancelled. What is not acknowledged by then comes again.
    package func consume<Deliveries: AsyncSequence>(_ deliveries: Deliveries) async throws(Deliveries.Failure)
    where Deliveries.Element == any DeadLetterDelivery {
        let result: Result<Void, Deliveries.Failure> = await withDiscardingTaskGroup { group in
            var iterator = deliveries.makeAsyncIterator()
            do throws(Deliveries.Failure) {
                while let delivery = try await iterator.next(isolation: nil) {
                    if delivery.origin.isExpiry {
                        // Side by side: each may have to wait for a queue of its own client. Bounded by the prefetch.
                        group.addTask { await answer(delivery) }
                    } else if await !takes(delivery) {
                        break
                    }
                }
                return .success(())
            } catch {
                return .failure(error)
            }
        }
        try result.get()
    }

    private func answer(_ delivery: any DeadLetterDelivery) async {
        do throws(CancellationError) {
            switch try await expired.answer(message(of: delivery)) {
            case .acknowledge: await delivery.acknowledge()
            // Nothing is behind this queue: what cannot be published is kept.
            case .reject: try await take(delivery)
            }
        } catch {
            // Cut off before the broker confirmed: unacknowledged, so it comes again.
        }
    }

    /// - Returns: false where the task was cancelled.
    private func takes(_ delivery: any DeadLetterDelivery) async -> Bool {
        do throws(CancellationError) {
            if delivery.origin == .unrouted, let copy = unroutedCopy(of: message(of: delivery)) {
                try await send(copy, Self.unroutedTier)
                await delivery.acknowledge()
                observer.observe(.unroutedSentBack(CommandIdentity(copy, opening: cards)))
            } else {
                try await take(delivery)
            }
            return true
        } catch {
            return false
        }
    }

    /// Only the processor writes to the dead-letter exchange; what the broker gives up is as its client made it.
    private func message(of delivery: any DeadLetterDelivery) -> Message {
        delivery.origin == .processor ? delivery.message : marks.trusted(delivery.message)
    }

    /// `nil` where it has been tried for long enough.
    private func unroutedCopy(of message: Message) -> Message? {
        let now = time.now()
        // Whatever a client writes into the header: a time to come would send it round without an end.
        let since = message.headers[HeaderName.unroutedSince]?.integer.map(Timestamp.init(microseconds:)) ?? now
        guard since.duration(to: now) < Self.unroutedLimit else { return nil }
        return message.cleanCopy(adding: [HeaderName.unroutedSince: .integer(min(since, now).microseconds)])
    }

    private func take(_ delivery: any DeadLetterDelivery) async throws(CancellationError) {
        let now = time.now()
        let id = DeadLetterID(random.identifier(at: now))
        let message = message(of: delivery)
        let deadLetter = reader.deadLetter(message, delivery.origin, id: id, now: now)
        if deadLetter.failure.source == .broker, deadLetter.failure.code == DeadLetterFailure.deliveryLimit,
            let times = try await countReturn(deadLetter, message)
        {
            let tier = Self.returns[min(max(times, 1), Self.returns.count) - 1]
            try await send(message.cleanCopy(), tier)
            await delivery.acknowledge()
            observer.observe(.deadLetterSentBack(deadLetter, tier))
            try await time.sleep(for: Self.spacing)
        } else if let kept = try await keep(deadLetter) {
            await delivery.acknowledge()
            if kept == .stored { observer.observe(.deadLetterKept(deadLetter)) }
        }
    }

    /// - Returns: `nil` where the store refuses even the bare dead letter: it stays at the broker.
    private func keep(_ deadLetter: DeadLetter) async throws(CancellationError) -> DeadLetterKept? {
        for form in [deadLetter, deadLetter.bare] {
            let kept = try await untilAnswered { () async throws(StoreError) in try await store.keep(form) }
            if let kept { return kept }
        }
        return nil
    }

    private func countReturn(_ deadLetter: DeadLetter, _ message: Message) async throws(CancellationError) -> Int? {
        let identity = reader.identity(of: message)
        return try await untilAnswered { () async throws(StoreError) in
            try await store.countReturn(of: identity, deadLetter.instance, limit: Self.returns.count)
        }.flatMap(\.self)
    }

    /// However long the store is away: the queue keeps what is not taken from it.
    ///
    /// - Returns: `nil` where the store refuses this very work.
    private func untilAnswered<Value>(
        _ work: () async throws(StoreError) -> Value
    ) async throws(CancellationError) -> Value? {
        for attempt in 0... {
            do throws(StoreError) {
                return try await work()
            } catch {
                if Task.isCancelled { throw CancellationError() }
                observer.observe(.storeFailed(error))
                guard error.isRetriable else { return nil }
                try await time.sleep(for: policy.backoff(attempt: attempt, random: random.next()))
            }
        }
        return nil
    }

    private func send(_ message: Message, _ tier: RetryTier) async throws(CancellationError) {
        for attempt in 0... {
            do throws(SinkError) {
                let outcome = try await sink.publish(message, to: .retry(tier))
                if outcome == .confirmed { return }
                observer.observe(.publishFailed("retry \(tier.rawValue): \(outcome)"))
            } catch {
                observer.observe(.publishFailed(error.description))
            }
            try await time.sleep(for: policy.backoff(attempt: attempt, random: random.next()))
        }
    }
}
