/// Carries out what was decided about a delivery: publishes, confirmed, again and again until it is; then the delivery may be
/// acknowledged.
///
/// What cannot be published holds up nobody who does not need it: events wait in the outbox, a copy whose retry tier is missing takes
/// another, and what can never be published is left to the broker's own dead-lettering.
struct DispositionExecutor: Sendable {
    let context: ProcessorContext
    let sink: any MessageSink

    /// How the delivery may end now.
    enum Ending: Sendable {
        case acknowledge, reject
    }

    /// How often a full queue is tried again before the command is deferred.
    private static let refusals = 3
    /// How often a queue or exchange of our own that is missing is tried before there is another way: a few seconds, in which it is
    /// declared again.
    private static let misses = 6

    /// Returns when everything is confirmed or recorded.
    ///
    /// - Throws: when the process gives up waiting for the broker: the delivery stays unacknowledged, and comes again.
    func carryOut(_ disposition: Disposition, of original: Message) async throws(CancellationError) -> Ending {
        switch disposition {
        case .reply(let reply, _, let operation):
            let sending = try await send(reply, isOutcome: operation != nil)
            if sending.reply != .refused, await record(operation, sending) { return .acknowledge }
            if sending.reply == .refused { context.observer.observe(.replyPostponed(replyTo: reply.replyTo)) }
            // Deferred with its command, which finds its stored reply when it comes back.
            return try await putOff(original.cleanCopy(), .seconds30)
        case .deferred(let tier, _, let provisional, let retry):
            // What is said in passing may fail: its command goes on, as one message, and the final reply follows.
            if let provisional { _ = try await send(provisional, isOutcome: false) }
            var copy = original.cleanCopy()
            retry.write(to: &copy)
            return try await putOff(copy, tier)
        case .requeue:
            return try await insist(original.cleanCopy(), .commands)
        case .deadLetter(let code, let message, let provisional, let instance, let operation):
            var offered = Sending(reply: .notified)
            if let provisional { offered = try await send(provisional, isOutcome: false) }
            var copy = original.cleanCopy(adding: [
                HeaderName.errorCode: .string(code), HeaderName.errorMessage: .string(message),
                HeaderName.failedAt: .integer(context.time.now().microseconds),
            ])
            // Whatever a client has written there.
            copy.headers[HeaderName.failureInstance] = instance.map(HeaderValue.string)
            // The broker keeps what it dead-letters itself until there is a queue for it.
            guard case .acknowledge = try await insist(copy, .deadLetters, misses: Self.misses) else { return .reject }
            // No final reply may ever follow: one that its queue refuses now is left to the sweep.
            if offered.reply != .refused {
                _ = await record(operation, Sending(reply: .notified, events: offered.events))
            }
            return .acknowledge
        }
    }

    // MARK: Replies and events

    /// How a reply and its events ended.
    private struct Sending {
        enum Reply {
            case notified
            /// Its queue is gone, or it can never be published.
            case undeliverable
            /// Its queue stays full, or away, or confirms nothing.
            case refused
        }

        var reply: Reply
        /// Those that the broker has not taken.
        var events: [PaymentEvent] = []
    }

    /// The events are under way at the same time. They are offered once, and never repeat a reply nor hold it up: what the broker does
    /// not take waits in the outbox.
    private func send(_ reply: OutgoingReply, isOutcome: Bool) async throws(CancellationError) -> Sending {
        guard !reply.events.isEmpty else { return Sending(reply: try await deliver(reply, isOutcome: isOutcome)) }
        async let left = offer(reply.events)
        let delivered: Result<Sending.Reply, CancellationError>
        do throws(CancellationError) {
            delivered = .success(try await deliver(reply, isOutcome: isOutcome))
        } catch {
            delivered = .failure(error)
        }
        let events = await left
        return Sending(reply: try delivered.get(), events: events)
    }

    /// - Returns: those that the broker has not taken.
    private func offer(_ events: [PaymentEvent]) async -> [PaymentEvent] {
        var left: [PaymentEvent] = []
        for event in events {
            switch await publish(event.message, .event(event.name)) {
            case .confirmed, .unroutable, .unpublishable: break
            case .refused, .unusable, .silent, .unanswered: left.append(event)
            }
        }
        return left
    }

    private func deliver(_ reply: OutgoingReply, isOutcome: Bool) async throws(CancellationError) -> Sending.Reply {
        var message = reply.message
        let destination = Destination.replies(reply.replyTo)
        for attempt in 0... {
            switch await publish(message, destination) {
            case .confirmed:
                return .notified
            case .unroutable where !destination.isOurs, .unpublishable:
                context.observer.observe(
                    .replyUndeliverable(replyTo: reply.replyTo, CommandIdentity(reply.message))
                )
                return .undeliverable
            case .unroutable where attempt >= Self.misses, .unusable where attempt >= Self.misses,
                .refused where attempt >= Self.refusals:
                return .refused
            // Its queue may be silent for hours, and the place of its command is wanted by others.
            case .silent:
                return .refused
            case .unroutable, .unusable, .refused: break
            case .unanswered:
                // It may be there already: the one that says that it is no replay must not be there twice.
                if isOutcome { message.headers[HeaderName.idempotentReplayed] = .bool(true) }
            }
            try await pause(attempt)
        }
        return .refused
    }

    // MARK: Copies

    /// Until the broker has it on a retry tier. Where the queue of its own is missing, a neighbouring one will do: none that is much
    /// longer, for later commands of its payment wait behind it. Where there is none, or no exchange, it goes to the end of its queue, and
    /// what is behind it goes on. Where all of them confirm nothing the broker has lost its majority, and it waits.
    private func putOff(_ message: Message, _ tier: RetryTier) async throws(CancellationError) -> Ending {
        let tiers = Array(repeating: tier, count: Self.misses) + tier.neighbours
        let ways = tiers.map(Destination.retry) + [.commands]
        let places = [tier] + tier.neighbours
        var (unrouted, unusable, silent) = (0, 0, 0)
        for attempt in 0... {
            // All tiers have the same exchange.
            let hasNoExchange = unusable > 0 && unusable % Self.misses == 0
            var way = hasNoExchange ? .commands : ways[unrouted % ways.count]
            if silent > 0 { way = .retry(places[silent % places.count]) }
            switch await publish(message, way) {
            case .confirmed: return .acknowledge
            case .unpublishable: return .reject
            case .unroutable: (unrouted, unusable, silent) = (unrouted + 1, 0, 0)
            case .unusable: (unusable, silent) = (unusable + 1, 0)
            case .silent: silent += 1
            case .refused, .unanswered: break
            }
            try await pause(attempt)
        }
        return .reject
    }

    /// Until the broker has it.
    ///
    /// - Parameter misses: how often it may be found that there is no such queue, or that it confirms nothing; `nil` for any number of
    ///   times.
    private func insist(
        _ message: Message,
        _ destination: Destination,
        misses: Int? = nil
    ) async throws(CancellationError) -> Ending {
        var missed = 0
        for attempt in 0... {
            switch await publish(message, destination) {
            case .confirmed: return .acknowledge
            case .unpublishable: return .reject
            case .unroutable, .unusable, .silent: missed += 1
            case .refused, .unanswered: break
            }
            if let misses, missed >= misses { return .reject }
            try await pause(attempt)
        }
        return .reject
    }

    // MARK: Publishing

    private enum Publishing {
        case confirmed, unroutable, refused
        /// The exchange is missing or forbidden.
        case unusable
        case unpublishable
        /// Its queue confirms nothing. It may have it; publishing again is safe.
        case silent
        /// Not known whether the broker has it; publishing again is safe.
        case unanswered
    }

    private func publish(_ message: Message, _ destination: Destination) async -> Publishing {
        do throws(SinkError) {
            switch try await sink.publish(message, to: destination) {
            case .confirmed: return .confirmed
            case .unroutable:
                if destination.isOurs { context.observer.observe(.publishFailed("\(destination): no such queue")) }
                return .unroutable
            case .refused:
                if !destination.isEvent {
                    context.observer.observe(.publishFailed("\(destination): refused by the broker"))
                }
                return .refused
            }
        } catch {
            // A queue that is silent is named by who finds it so.
            if !destination.isEvent && error.kind != .silentDestination || error.kind == .unpublishable {
                context.observer.observe(.publishFailed(error.description))
            }
            switch error.kind {
            case .unavailable: return .unanswered
            case .unusableDestination: return .unusable
            case .silentDestination: return .silent
            case .unpublishable: return .unpublishable
            }
        }
    }

    private func pause(_ attempt: Int) async throws(CancellationError) {
        try await context.time.sleep(for: context.policy.backoff(attempt: attempt, random: context.random.next()))
    }

    /// Every stored outcome is published, or recorded as undeliverable (docs/correctness.md#outcomes-are-reported).
    ///
    /// That it is reported may stay unsaid: then the sweep reports it once more. That no queue took the reply must be
    /// known.
    ///
    /// - Returns: false where it must be tried again later.
    private func record(_ operation: Operation?, _ sending: Sending) async -> Bool {
        let isUndeliverable = sending.reply == .undeliverable
        guard let operation, isUndeliverable || !operation.isNotified else { return true }
        do throws(StoreError) {
            if isUndeliverable {
                try await context.patiently { () async throws(StoreError) in
                    try await context.store.recordNotified(operation, isUndeliverable: true, relaying: sending.events)
                }
            } else {
                try await context.store.recordNotified(operation, isUndeliverable: false, relaying: sending.events)
            }
            if !sending.events.isEmpty { context.observer.observe(.eventsPostponed(sending.events.count)) }
            return true
        } catch {
            if !isUndeliverable { context.observer.observe(.storeFailed(error)) }
            return !isUndeliverable || !error.isRetriable
        }
    }
}
