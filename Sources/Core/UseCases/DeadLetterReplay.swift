/// Publishes dead letters again, one after the other. Each moves `open → replaying → replayed`, so that a replay that was cut
/// off anywhere is taken up by the next one, and a second replay of the same letters does nothing
/// (docs/correctness.md#replay-is-idempotent).
package struct DeadLetterReplay: Sendable {
    private let store: any DeadLetterActions
    private let sink: any MessageSink
    private let time: any TimeSource
    private let random: any RandomSource
    private let policy = RetryPolicy()

    /// How often a letter is published before it counts as failed.
    private static let tries = 3

    package init(
        store: any DeadLetterActions,
        sink: any MessageSink,
        time: any TimeSource,
        random: any RandomSource
    ) {
        self.store = store
        self.sink = sink
        self.time = time
        self.random = random
    }

    /// - Parameters:
    ///   - ids: frozen; what has been dealt with since is skipped.
    ///   - actor: for the audit.
    ///   - pace: how fast, and when it gives up.
    ///   - progress: told after each letter.
    package func run(
        _ ids: [DeadLetterID],
        by actor: String,
        pace: ReplayPace = ReplayPace(),
        progress: (DeadLetterReport) -> Void = { _ in }
    ) async -> DeadLetterReport {
        var report = DeadLetterReport(selected: ids.count)
        for (index, id) in ids.enumerated() {
            if Task.isCancelled || pace.stops(report) {
                report.isCutShort = true
                break
            }
            let started = time.uptime()
            report.note(id, await replay(id, actor))
            progress(report)
            guard let interval = pace.interval, index + 1 < ids.count else { continue }
            try? await time.sleep(for: max(interval - (time.uptime() - started), .zero))
        }
        return report
    }

    private func replay(_ id: DeadLetterID, _ actor: String) async -> DeadLetterReport.Item {
        do throws(StoreError) {
            let end: ReplayEnd
            switch try await store.beginReplay(id, by: actor) {
            case .skip(let skip): return .skipped(skip.explanation, isHarmless: skip.isHarmless)
            case .publish(let letter): end = await publish(letter.replayCopy, .commands)
            case .answer(let letter, let operation):
                let reply = OutgoingReply.final(of: operation, by: EnvelopeDecoder.route(letter.content.message))
                end = await publish(reply.message, .replies(reply.replyTo))
            }
            guard try await store.endReplay(id, by: actor, end) else {
                return .skipped(ReplaySkip.alreadyReplayed.explanation, isHarmless: true)
            }
            return end.reason.map { .failed($0) } ?? .done
        } catch {
            return .failed(error.description)
        }
    }

    private func publish(_ message: Message, _ destination: Destination) async -> ReplayEnd {
        var end = ReplayEnd.unknown(reason: "cancelled")
        for attempt in 0..<Self.tries {
            if attempt > 0 {
                do throws(CancellationError) {
                    try await time.sleep(for: policy.backoff(attempt: attempt, dice: random.next()))
                } catch { return end }
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

/// How fast a replay goes, and when it gives up.
package struct ReplayPace: Hashable, Sendable {
    /// Between the starts of two letters; `nil`: as fast as they are confirmed.
    package let interval: Duration?
    /// The share of failures, 0 to 1, from which on it goes no further.
    package let failureShare: Double

    /// Fewer letters than this say nothing about a share.
    private static let sample = 5

    /// - Parameters:
    ///   - perSecond: letters.
    ///   - failureShare: from 0 to 1.
    package init(perSecond: Int? = nil, failureShare: Double = 0.2) {
        interval = perSecond.map { .seconds(1) / $0 }
        self.failureShare = failureShare
    }

    func stops(_ report: DeadLetterReport) -> Bool {
        let attempted = report.done + report.failed
        return attempted >= Self.sample && report.failed > 0
            && Double(report.failed) >= failureShare * Double(attempted)
    }
}
