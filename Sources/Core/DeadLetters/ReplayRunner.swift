import Synchronization

/// Runs replays that are stored, one by one: wherever it is cut off, the next process goes on from there.
package struct ReplayRunner: Sendable {
    private let store: any ReplayStore
    private let replay: DeadLetterReplay
    private let time: any TimeSource

    /// How many ids are in memory at a time.
    private static let page = 500
    /// How many one process runs side by side: a slow one holds up no other.
    private static let most = 4
    /// Between two checks for one to take up.
    private static let pause = Duration.seconds(1)

    package init(store: any ReplayStore, replay: DeadLetterReplay, time: any TimeSource) {
        self.store = store
        self.replay = replay
        self.time = time
    }

    /// Takes up what nobody is at, until it is to stop or the task is cancelled; what is under way then is given back.
    ///
    /// - Parameters:
    ///   - onStart: notified when one is taken up.
    ///   - onEnd: notified of how one has ended.
    package func runAll(
        until stop: StopFlag,
        onStart: @escaping @Sendable (ReplayRun) -> Void = { _ in },
        onEnd: @escaping @Sendable (ReplayRun) -> Void = { _ in }
    ) async {
        let places = Places()
        await withDiscardingTaskGroup { group in
            while !stop.isSet, !Task.isCancelled {
                if places.count < Self.most, let taken = try? await store.takeReplay(nil) {
                    places.change(by: 1)
                    onStart(taken)
                    group.addTask {
                        await run(taken, until: stop)
                        places.change(by: -1)
                        if let ended = try? await store.replay(taken.id), ended.state != .running { onEnd(ended) }
                    }
                } else {
                    try? await time.sleep(for: Self.pause)
                }
            }
        }
    }

    /// Runs the one that was taken, to its end or until it is cut off.
    ///
    /// What the store does not take is written by whoever takes the replay up after the lease.
    package func run(
        _ taken: ReplayRun,
        until stop: StopFlag = StopFlag(),
        progress: (DeadLetterReport) -> Void = { _ in }
    ) async {
        var report = DeadLetterReport(taken.counts)
        var next = ReplayNote.goOn
        var ending = DeadLetterReplay.Ending.finished
        do throws(StoreError) {
            // One that was to be stopped when its process died.
            next = try await store.note(taken.claim, nil)
            var position = 0
            while next == .goOn, ending == .finished {
                let page = try await store.remainingDeadLetters(of: taken.id, after: position, limit: Self.page)
                guard let last = page.last else { break }
                position = last.position
                ending = await replay.run(
                    page.map(\.deadLetter),
                    by: taken.order.requestedBy,
                    taken.claim,
                    pace: taken.order.pace,
                    report: &report
                ) { report, entry in
                    progress(report)
                    next = (try? await store.note(taken.claim, entry)) ?? .superseded
                    return next == .goOn && !stop.isSet
                }
            }
            switch (ending, next) {
            case (_, .superseded): return
            case (_, .stop): try await store.endReplay(taken.claim, .stopped, reason: nil)
            case (.finished, .goOn): try await store.endReplay(taken.claim, .finished, reason: nil)
            case (.tooManyFailures, .goOn):
                try await store.endReplay(taken.claim, .failed, reason: "too many failures: see stop-at-failures")
            case (.cutOff, .goOn): try await store.endReplay(taken.claim, nil, reason: nil)
            }
        } catch {
            // The lease runs out, and it is taken up again.
        }
    }
}

/// How many run.
private final class Places: Sendable {
    private let taken = Mutex(0)

    var count: Int { taken.withLock { $0 } }

    func change(by difference: Int) { taken.withLock { $0 += difference } }
}
