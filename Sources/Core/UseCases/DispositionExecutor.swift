/// Carries out what was decided about a delivery: publishes, confirmed, again and again until it is; then the delivery may be
/// acknowledged.
struct DispositionExecutor: Sendable {
    let context: ProcessorContext
    let sink: any MessageSink

    /// How often a full queue is tried again before the command is parked.
    private static let refusals = 3

    /// Returns when everything is confirmed or recorded.
    ///
    /// - Throws: when the process gives up waiting for the broker: the delivery stays unacknowledged, and comes again.
    func carryOut(_ disposition: Disposition, of original: Message) async throws(CancellationError) {
        switch disposition {
        case .reply(let reply, _, let operation):
            let sending = try await send(reply, isOutcome: operation != nil)
            if sending != .refused, await record(operation, sending) { return }
            // Parked with its command, which finds its stored reply when it comes back.
            try await insist(original.cleanCopy(), .retry(.seconds30))
        case .park(let tier, _, let provisional, let note):
            // What is said in passing may fail: its command goes on, as one message, and the final reply follows.
            if let provisional { _ = try await send(provisional, isOutcome: false) }
            var copy = original.cleanCopy()
            note.write(to: &copy)
            try await insist(copy, .retry(tier))
        case .requeue:
            try await insist(original.cleanCopy(), .commands)
        case .deadLetter(let code, let message, let provisional, let instance, let operation):
            var offered = Sending.told
            if let provisional { offered = try await send(provisional, isOutcome: false) }
            var copy = original.cleanCopy(adding: [
                HeaderName.errorCode: .string(code), HeaderName.errorMessage: .string(message),
                HeaderName.failedAt: .integer(context.time.now().microseconds),
            ])
            // Whatever a client has written there.
            copy.headers[HeaderName.failureInstance] = instance.map(HeaderValue.string)
            try await insist(copy, .deadLetters)
            // No final reply may ever follow: one that its queue refuses now is left to the sweep.
            if offered != .refused { _ = await record(operation, .told) }
        }
    }

    /// How a reply and its events ended.
    private enum Sending {
        case told
        /// The events are told; the reply's queue is gone.
        case undeliverable
        /// A queue stays full.
        case refused
    }

    /// One whose queue is full is tried again a few times (docs/contract.md#replies).
    ///
    /// The events are under way at the same time: each of the two waits for its own confirm.
    private func send(_ reply: OutgoingReply, isOutcome: Bool) async throws(CancellationError) -> Sending {
        guard !reply.events.isEmpty else { return try await deliver(reply, isOutcome: isOutcome) }
        async let told = tell(reply.events)
        let delivered: Result<Sending, CancellationError>
        do throws(CancellationError) {
            delivered = .success(try await deliver(reply, isOutcome: isOutcome))
        } catch {
            delivered = .failure(error)
        }
        let areTold = try await told.get()
        return areTold ? try delivered.get() : .refused
    }

    /// - Returns: false where a listener's queue stays full.
    private func tell(_ events: [PaymentEvent]) async -> Result<Bool, CancellationError> {
        do throws(CancellationError) {
            for event in events {
                guard try await attempt(event.message, .event(event.name)) else { return .success(false) }
            }
            return .success(true)
        } catch {
            return .failure(error)
        }
    }

    private func attempt(_ message: Message, _ destination: Destination) async throws(CancellationError) -> Bool {
        for attempt in 0... {
            switch await publish(message, destination) {
            case .confirmed, .unroutable:
                return true
            case .refused where attempt >= Self.refusals:
                context.observer.observe(.publishFailed("\(destination): refused by the broker"))
                return false
            case .refused, nil:
                try await context.time.sleep(for: context.policy.backoff(attempt: attempt, dice: context.random.next()))
            }
        }
        return false
    }

    private func deliver(_ reply: OutgoingReply, isOutcome: Bool) async throws(CancellationError) -> Sending {
        var message = reply.message
        for attempt in 0... {
            switch await publish(message, .replies(reply.replyTo)) {
            case .confirmed:
                return .told
            case .unroutable:
                context.observer.observe(.replyUndeliverable(replyTo: reply.replyTo))
                return .undeliverable
            case .refused where attempt >= Self.refusals:
                context.observer.observe(.publishFailed("replies: refused by the broker"))
                return .refused
            case .refused:
                try await context.time.sleep(for: context.policy.backoff(attempt: attempt, dice: context.random.next()))
            case nil:
                // It may be there already: the one that says that it is no replay must not be there twice.
                if isOutcome { message.headers[HeaderName.idempotentReplayed] = .bool(true) }
                try await context.time.sleep(for: context.policy.backoff(attempt: attempt, dice: context.random.next()))
            }
        }
        return .refused
    }

    /// Until the broker has it. The retry and dead-letter queues refuse only while the broker is in trouble.
    private func insist(_ message: Message, _ destination: Destination) async throws(CancellationError) {
        for attempt in 0... {
            switch await publish(message, destination) {
            case .confirmed: return
            case .unroutable: context.observer.observe(.publishFailed("\(destination): no such queue"))
            case .refused: context.observer.observe(.publishFailed("\(destination): refused by the broker"))
            case nil: break
            }
            try await context.time.sleep(for: context.policy.backoff(attempt: attempt, dice: context.random.next()))
        }
    }

    /// `nil`: not known whether the broker has it; publishing again is safe.
    private func publish(_ message: Message, _ destination: Destination) async -> PublishOutcome? {
        do throws(SinkError) {
            return try await sink.publish(message, to: destination)
        } catch {
            context.observer.observe(.publishFailed(error.description))
            return nil
        }
    }

    /// Every stored outcome is published, or recorded as undeliverable (docs/correctness.md#outcomes-are-reported).
    ///
    /// That it is told may stay unsaid: then the sweep tells it once more. That no queue took the reply must be known.
    ///
    /// - Returns: false where it must be tried again later.
    private func record(_ operation: Operation?, _ sending: Sending) async -> Bool {
        let isUndeliverable = sending == .undeliverable
        guard let operation, isUndeliverable || !operation.isTold else { return true }
        do throws(StoreError) {
            if isUndeliverable {
                try await context.patiently { () async throws(StoreError) in
                    try await context.store.recordTold(operation, isUndeliverable: true)
                }
            } else {
                try await context.store.recordTold(operation, isUndeliverable: false)
            }
            return true
        } catch {
            if !isUndeliverable { context.observer.observe(.storeFailed(error)) }
            return !isUndeliverable || !error.isRetriable
        }
    }
}
