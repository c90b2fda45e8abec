import Synchronization

/// Takes deliveries of commands and sees each through to its acknowledgement.
///
/// Bounded by the prefetch of the deliveries' source. Deliveries of one payment run in arrival order.
package struct CommandConsumer: Sendable {
    private let context: ProcessorContext
    private let handler: CommandHandler
    private let executor: DispositionExecutor
    private let decoder: CommandDecoder
    private let queues = PaymentQueues()
    private let marks: CopyMarks

    package init(_ context: ProcessorContext, sink: any MessageSink, fingerprinter: Fingerprinter) {
        self.context = context
        decoder = CommandDecoder(context.cards, context.merchants)
        marks = CopyMarks(fingerprinter)
        handler = CommandHandler(context)
        executor = DispositionExecutor(context: context, sink: MarkingSink(sink, marks))
    }

    /// Reads a subscription until it ends or the reading is stopped, and sees through what was read. When the task is cancelled, what is not
    /// done with stays unacknowledged, and comes again.
    ///
    /// - Parameters:
    ///   - source: the subscription. It is closed before this returns.
    ///   - reading: stops it, and tells when it is closed. Where another processor waits for the queue, that is half a second later at most,
    ///     however long what was read takes.
    ///   - giveBack: has the broker take back, in their order, all deliveries that are not acknowledged, and so ends the subscription: called
    ///     when the store is unavailable. `untilStoreIsAvailable` says when to go on.
    package func consume<Source: CommandSource>(
        _ source: Source,
        _ reading: CommandReading,
        giveBack: @escaping @Sendable () async -> Void
    ) async {
        reading.begin {
            source.stop()
            context.breaker.nudge()
        }
        await withTaskGroup(of: Void.self) { group in
            group.addTask {
                do throws(Source.Deliveries.Failure) {
                    try await read(source, reading, giveBack: giveBack)
                    reading.end(nil)
                } catch {
                    reading.end(error)
                }
            }
            await reading.untilStopped()
            let time = context.time
            var waited = Duration.zero
            while !reading.hasEnded, (try? await time.sleep(for: Self.handOverPause)) != nil {
                waited += Self.handOverPause
                if waited >= Self.handOverLimit, reading.isAwaited { break }
            }
            if !reading.hasEnded {
                // What is under way ends here. What waits behind it begins where the queue is read from now on: it goes first, or it would
                // be let in behind one that ends undecided.
                queues.withdraw(reading)
                reading.leave()
            }
            await source.close()
            reading.close()
        }
    }

    /// Deliveries that are decoded without a pause.
    private static let mostInARow = 4
    private static let handOverPause = Duration.milliseconds(50)
    private static let handOverLimit = Duration.milliseconds(500)

    private func read<Source: CommandSource>(
        _ source: Source,
        _ reading: CommandReading,
        giveBack: @escaping @Sendable () async -> Void
    ) async throws(Source.Deliveries.Failure) {
        let result: Result<Void, Source.Deliveries.Failure> = await withDiscardingTaskGroup { group in
            var iterator = source.deliveries.makeAsyncIterator()
            var inARow = 0
            do throws(Source.Deliveries.Failure) {
                while await mayRead(source, reading),
                    let delivery = try await iterator.next(isolation: nil), reading.takesNext()
                {
                    // Decoded and queued here, one after the other: that is what keeps the arrival order.
                    reading.count(1)
                    let work = prepare(delivery, reading)
                    guard context.breaker.condition == .halfOpen else {
                        group.addTask {
                            if await !work() { await giveBack() }
                            reading.count(-1)
                        }
                        // Opening a sealed card takes its time, and others wait for this thread. Not before it has its place: whoever
                        // leaves the queue meanwhile withdraws all that were read.
                        inARow += 1
                        if inARow.isMultiple(of: Self.mostInARow) { await Task.yield() }
                        continue
                    }
                    let isDone = Flag()
                    group.addTask {
                        if await !work() { await giveBack() }
                        reading.count(-1)
                        isDone.raise()
                        context.breaker.nudge()
                    }
                    try? await context.breaker.untilNot(.halfOpen) { isDone.isRaised }
                }
                if context.storeGate.isClosed { group.cancelAll() }
                return .success(())
            } catch {
                if context.storeGate.isClosed { group.cancelAll() }
                return .failure(error)
            }
        }
        try result.get()
    }

    /// Waits as long as the bank is known to be unavailable. What was delivered stays where it is, unread: given back, it would lose its
    /// order to the next reader that has less room (docs/correctness.md#returned-twice).
    ///
    /// - Returns: false where nothing is to be read any more.
    private func mayRead<Source: CommandSource>(_ source: Source, _ reading: CommandReading) async -> Bool {
        var condition: BreakerCondition? = context.breaker.condition
        while condition == .open, !reading.isStopped {
            if source.isStale { reading.stop() }
            condition = try? await context.breaker.untilNotOpen(within: Self.staleCheck) { reading.isStopped }
        }
        return condition != nil && !reading.isStopped
    }

    /// Between two looks at whether what was delivered has waited too long.
    private static let staleCheck = Duration.seconds(1)

    /// Whether what was taken has been given back, and the store has not been found available since.
    package var isStoreUnavailable: Bool { context.storeGate.isClosed }

    /// Returns when commands may be taken: at once, unless what was taken has been given back.
    package func untilStoreIsAvailable() async throws(CancellationError) { try await context.untilStoreIsAvailable() }

    /// - Returns: what is to be done; it ends with false where the delivery is to be given back to the broker.
    private func prepare(_ delivery: any Delivery, _ reading: CommandReading) -> @Sendable () async -> Bool {
        let message = marks.trusted(delivery.message)
        switch decoder.decode(message) {
        case .unanswerable(let problem):
            context.observer.observe(.unanswerable(problem, CommandIdentity(message, opening: context.cards)))
            let instance = anonymousInstance(message)
            return { await finish(delivery, message, .unanswerable(problem, instance: instance)) }
        case .answerable(let command):
            context.observer.observe(.rejectedInvalid(command))
            if command.route.isReplyToIgnored {
                context.observer.observe(.replyAddressIgnored(CommandIdentity(command)))
            }
            return { await finish(delivery, message, .reply(OutgoingReply(to: command), .rejected, completes: nil)) }
        case .command(let command):
            if command.route.isReplyToIgnored {
                context.observer.observe(.replyAddressIgnored(CommandIdentity(command)))
            }
            if message.mayHaveOvertaken { return { await finish(delivery, message, .requeue) } }
            let isReturning = RetryState(message).deferrals > 0
            let place = queues.place(for: command.paymentID, of: reading, isReturning: isReturning)
            return { await run(command, delivery, message, place, reading) }
        }
    }

    /// A message without an id can be distinguished from its likes by nothing but its delivery.
    private func anonymousInstance(_ message: Message) -> String? {
        guard message.messageID?.isEmpty != false, message.headers[HeaderName.replayOf] == nil else { return nil }
        return "delivery \(context.random.identifier(at: context.time.now()))"
    }

    private func run(
        _ command: Command,
        _ delivery: any Delivery,
        _ message: Message,
        _ place: PaymentQueues.Place,
        _ reading: CommandReading
    ) async -> Bool {
        let started = context.time.uptime()
        var completed: PaymentQueues.Completed?
        do throws(CancellationError) {
            let disposition: Disposition
            let last = try await queues.enter(place)
            // Delivered while the connection is being closed: it goes back with all the others.
            if context.storeGate.isClosed { throw CancellationError() }
            if let last, last.answers(command), let body = last.operation.reply {
                // Its events are the business of the delivery that completed it, which notes that they are reported.
                let reply = OutgoingReply.attached(body, of: last.operation, to: command)
                disposition = .reply(reply, .replayed, completes: nil)
            } else {
                let handled = try await handle(command, RetryState(message), place, arrived: started, reading)
                guard let handled else {
                    // Left to others already, with all that is behind it.
                    if reading.hasLeft {
                        queues.leave(place)
                        return true
                    }
                    let isCancelled = Task.isCancelled
                    if !isCancelled, context.storeGate.close() { context.observer.observe(.commandsGivenBack) }
                    queues.abandon(place)
                    return isCancelled
                }
                disposition = handled
                if case .reply(_, _, let operation?) = disposition {
                    completed = PaymentQueues.Completed(command: command, operation: operation)
                }
            }
            // The next one of this payment need not wait for the broker's confirm of this one's reply.
            queues.leave(place, completed: completed)
            context.observer.observe(.handled(command, disposition, duration: context.time.uptime() - started))
            return await finish(delivery, message, disposition)
        } catch {
            if reading.hasLeft { queues.leave(place) } else { queues.abandon(place) }
            return true
        }
    }

    /// What waits for others is looked at again here, as long as they may take and there is room: on a retry tier it would wait for longer
    /// than they do; a key that is free in a moment is waited for in any case. It has its place in the store meanwhile. Not while the bank
    /// is being tried: what is read then is read one at a time, and the others, what it waits for perhaps among them, are behind it.
    ///
    /// - Throws: also where the queue is left to others: it comes again there.
    private func handle(
        _ command: Command,
        _ retry: RetryState,
        _ place: PaymentQueues.Place,
        arrived: Duration,
        _ reading: CommandReading
    ) async throws(CancellationError) -> Disposition? {
        var retry = retry
        var pause = Self.shortestLook
        var key = KeyWatch()
        while true {
            let handled = try await handler.handle(command, retry, &key, arrived: arrived) { reading.hasLeft }
            guard let handled else { return nil }
            guard handled.waitsForOthers, context.time.uptime() - arrived < context.limits.lease else {
                return await handler.noting(lineOf: handled, command)
            }
            // In a moment the queue is left to another processor, which waits with it in its place.
            let isLeaving = reading.isStopped && reading.isAwaited
            let next = handled.waitsForKey ? key.nextStepIn : nil
            let isSoon = handled.waitsForKey && key.isNearlyFree && !reading.isStopped
            let mayWait = (reading.hasRoomToWait || isSoon) && context.breaker.condition == .closed
            // What it waits for may be the one behind it.
            guard isLeaving || mayWait && !queues.isAwaitedByReturning(place) else {
                return await handler.noting(lineOf: handled, command)
            }
            retry.heldSince = retry.heldSince ?? context.time.now()
            try await context.time.sleep(
                for: isLeaving ? Self.shortestLook : min(pause, max(next ?? pause, Self.shortestLook))
            )
            if reading.hasLeft { throw CancellationError() }
            pause = min(pause * 2, Self.longestLook)
        }
    }

    private static let shortestLook = Duration.milliseconds(50)
    private static let longestLook = Duration.seconds(1)

    private func finish(_ delivery: any Delivery, _ message: Message, _ disposition: Disposition) async -> Bool {
        do throws(CancellationError) {
            switch try await executor.carryOut(disposition, of: message) {
            case .acknowledge: await delivery.acknowledge()
            case .reject: await delivery.reject()
            }
        } catch {
            // Shut down before the broker confirmed: unacknowledged, so it comes again.
        }
        return true
    }
}

/// Raised once, by another task.
private final class Flag: Sendable {
    private let state = Atomic(false)

    var isRaised: Bool { state.load(ordering: .acquiring) }

    func raise() { state.store(true, ordering: .releasing) }
}

extension PaymentQueues.Completed {
    /// The same key with the same command: the fingerprint's fields, compared as they are.
    fileprivate func answers(_ other: Command) -> Bool {
        command.idempotencyKey == other.idempotencyKey && command.merchantID == other.merchantID
            && command.paymentID == other.paymentID && command.parameters == other.parameters
    }
}
