/// Publishes dead letters again, one after the other. Each is claimed first and moves `open → replaying → replayed`, so that of two
/// replays at once one publishes it, and that a replay that was cut off anywhere is taken up by the next one; a second replay of
/// the same dead letters does nothing (docs/correctness.md#replay-is-idempotent).
package struct DeadLetterReplay: Sendable {
    private let store: any DeadLetterActions
    private let sink: any MessageSink
    private let time: any TimeSource
    private let random: any RandomSource
    private let policy = RetryPolicy()

    /// How often a dead letter is published before it counts as failed.
    private static let tries = 3
    /// The longest that goes by without a word to whoever asked.
    private static let beat = Duration.seconds(1)

    package init(
        store: any DeadLetterActions,
        sink: any MessageSink,
        time: any TimeSource,
        random: any RandomSource,
        fingerprinter: Fingerprinter
    ) {
        self.store = store
        self.sink = MarkingSink(sink, CopyMarks(fingerprinter))
        self.time = time
        self.random = random
    }

    package enum Ending: Hashable, Sendable {
        case finished
        case tooManyFailures
        /// Cancelled, or told to go no further.
        case cutOff
    }

    /// Notified after each dead letter, and while there is nothing but waiting; false: it goes no further.
    package typealias Progress = (DeadLetterReport, DeadLetterReport.Entry?) async -> Bool

    /// - Parameters:
    ///   - ids: frozen; what has been dealt with since is skipped.
    ///   - actor: for the audit.
    ///   - claim: under which the dead letters are published.
    ///   - pace: how fast, and when it gives up.
    ///   - report: what went before, and then this.
    package func run(
        _ ids: [DeadLetterID],
        by actor: String,
        _ claim: ReplayClaim,
        pace: ReplayPace = ReplayPace(),
        report: inout DeadLetterReport,
        progress: Progress = { _, _ in true }
    ) async -> Ending {
        var held: [DeadLetterID] = []
        for (index, id) in ids.enumerated() {
            if Task.isCancelled { return .cutOff }
            if pace.stops(report) { return .tooManyFailures }
            let started = time.uptime()
            switch await replay(id, actor, claim) {
            case .held: held.append(id)
            case .item(let item):
                guard await note(id, item, &report, progress) else { return .cutOff }
            }
            guard let interval = pace.interval, index + 1 < ids.count else { continue }
            guard await wait(interval - (time.uptime() - started), report, progress) else { return .cutOff }
        }
        for id in held {
            if pace.stops(report) { return .tooManyFailures }
            guard let item = await replayHeld(id, actor, claim, report, progress),
                await note(id, item, &report, progress)
            else { return .cutOff }
        }
        return .finished
    }

    private func note(
        _ id: DeadLetterID,
        _ item: DeadLetterReport.Item,
        _ report: inout DeadLetterReport,
        _ progress: Progress
    ) async -> Bool {
        report.note(id, item)
        return await progress(report, DeadLetterReport.Entry(id: id, item: item))
    }

    /// What another replay has claimed ends with it, or is open again when its lease is over.
    ///
    /// - Returns: `nil` where it goes no further.
    private func replayHeld(
        _ id: DeadLetterID,
        _ actor: String,
        _ claim: ReplayClaim,
        _ report: DeadLetterReport,
        _ progress: Progress
    ) async -> DeadLetterReport.Item? {
        let limit = time.uptime() + ReplayClaim.lease * 2
        while true {
            switch await replay(id, actor, claim) {
            case .item(let item): return item
            case .held where time.uptime() >= limit:
                return .skipped(ReplaySkip.held.explanation, isHarmless: ReplaySkip.held.isHarmless)
            case .held(let remaining):
                // The other one may end it long before.
                guard await wait(min(max(remaining, .milliseconds(10)), Self.beat), report, progress) else {
                    return nil
                }
            }
        }
    }

    /// - Returns: false where it goes no further.
    private func wait(_ duration: Duration, _ report: DeadLetterReport, _ progress: Progress) async -> Bool {
        let end = time.uptime() + duration
        while time.uptime() < end {
            do throws(CancellationError) {
                try await time.sleep(for: min(end - time.uptime(), Self.beat))
            } catch { return false }
            if duration >= Self.beat, await !progress(report, nil) { return false }
        }
        return true
    }

    private enum Outcome {
        case item(DeadLetterReport.Item)
        case held(remaining: Duration)
    }

    private func replay(_ id: DeadLetterID, _ actor: String, _ claim: ReplayClaim) async -> Outcome {
        do throws(StoreError) {
            let end: ReplayEnd
            let lastTry = time.uptime() + ReplayClaim.lastTry
            switch try await store.beginReplay(id, by: actor, claim) {
            case .skip(let skip): return .item(.skipped(skip.explanation, isHarmless: skip.isHarmless))
            case .held(let remaining): return .held(remaining: remaining)
            case .ended: return .item(.done)
            case .publish(let deadLetter): end = await publish(deadLetter.replayCopy, .commands, until: lastTry)
            case .answer(let deadLetter, let operation):
                let reply = OutgoingReply.final(of: operation, by: deadLetter.replyRoute)
                end = await publish(reply.message, .replies(reply.replyTo), until: lastTry)
            }
            guard try await store.endReplay(id, by: actor, claim, end) else {
                return .item(.skipped(ReplaySkip.alreadyReplayed.explanation, isHarmless: true))
            }
            return .item(end.reason.map { .failed($0) } ?? .done)
        } catch {
            return .item(.failed(error.description))
        }
    }

    /// - Parameter lastTry: the uptime from which on no further try is begun.
    private func publish(_ message: Message, _ destination: Destination, until lastTry: Duration) async -> ReplayEnd {
        var end = ReplayEnd.unknown(reason: "cancelled")
        for attempt in 0..<Self.tries {
            if attempt > 0 {
                do throws(CancellationError) {
                    try await time.sleep(for: policy.backoff(attempt: attempt, random: random.next()))
                } catch { return end }
                guard time.uptime() < lastTry else { return end }
            }
            do throws(SinkError) {
                switch try await sink.publish(message, to: destination) {
                case .confirmed: return .replayed
                // The queue of a reply is gone: its outcome stands, and nothing else happens
                // (docs/correctness.md#reply-queue-gone).
                case .unroutable where destination != .commands: return .replayed
                case .unroutable: end = .notPublished(reason: "no queue takes it")
                case .refused: end = .notPublished(reason: "refused by the broker")
                }
            } catch {
                // It may be there already: what is published again here is published again later, too.
                end = .unknown(reason: error.description)
                if attempt > 0 { return end }
            }
        }
        return end
    }
}
