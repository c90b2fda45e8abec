/// What operators ask about dead letters and do with them, the same from the command line and over HTTP.
package struct DeadLetterService: Sendable {
    package let queries: any DeadLetterQueries
    package let replays: any ReplayStore
    package let runner: ReplayRunner
    private let time: any TimeSource
    private let random: any RandomSource
    private let discarding: DeadLetterDiscard

    package init(
        store: any DeadLetterQueries & DeadLetterActions & ReplayStore,
        sink: any MessageSink,
        time: any TimeSource,
        random: any RandomSource,
        fingerprinter: Fingerprinter
    ) {
        queries = store
        replays = store
        let replaying = DeadLetterReplay(
            store: store,
            sink: sink,
            time: time,
            random: random,
            fingerprinter: fingerprinter
        )
        runner = ReplayRunner(store: store, replay: replaying, time: time)
        self.time = time
        self.random = random
        discarding = DeadLetterDiscard(store: store)
    }

    /// The list to act upon, before anything moves. Without a state in the filter: what the action can be done to.
    package func freeze(
        _ selection: DeadLetterSelection,
        for action: Action
    ) async throws(StoreError) -> FrozenSelection {
        switch selection {
        case .ids(let asked):
            let found = Set(try await queries.deadLetterIDs(.ids(asked)))
            var seen: Set<DeadLetterID> = []
            // In the order in which they were asked for, each once.
            let ids = asked.filter { found.contains($0) && seen.insert($0).inserted }
            return FrozenSelection(ids: ids, missing: asked.filter { !found.contains($0) })
        case .matching(var filter, let limit):
            filter.states = filter.states ?? action.origins
            let ids = try await queries.deadLetterIDs(.matching(filter, limit: limit))
            return FrozenSelection(ids: ids, missing: [])
        }
    }

    /// What the action would come to, one by one, decided as the action decides it; nothing is written.
    package func rehearse(_ ids: [DeadLetterID], _ action: Action) async throws(StoreError) -> DeadLetterReport {
        var report = DeadLetterReport(selected: ids.count)
        for id in ids {
            if Task.isCancelled {
                report.isCutShort = true
                break
            }
            switch action {
            case .replay:
                let skip: ReplaySkip
                switch try await queries.replayStep(of: id) {
                case .publish, .answer, .ended:
                    report.note(id, .done)
                    continue
                case .held: skip = .held
                case .skip(let reason): skip = reason
                }
                report.note(id, .skipped(skip.explanation, isHarmless: skip.isHarmless))
            case .discard: report.note(id, DeadLetterReport.Item(try await queries.discardOutcome(of: id)))
            }
        }
        return report
    }

    /// Writes the replay down: running processors take it up.
    package func order(_ ids: [DeadLetterID], _ order: ReplayOrder) async throws(StoreError) -> ReplayRun {
        try await replays.createReplay(ReplayID(random.identifier(at: time.now())), order, of: ids)
    }

    /// Runs it in this process.
    ///
    /// - Returns: false where another process is at it, or it has ended.
    package func runHere(
        _ id: ReplayID,
        progress: (DeadLetterReport) -> Void = { _ in }
    ) async throws(StoreError) -> Bool {
        guard let taken = try await replays.takeReplay(id) else { return false }
        await runner.run(taken, progress: progress)
        return true
    }

    package func discard(_ ids: [DeadLetterID], by actor: String, reason: String) async -> DeadLetterReport {
        await discarding.run(ids, by: actor, reason: reason)
    }

    package enum Action: String, Sendable {
        case replay, discard

        fileprivate var origins: Set<DeadLetterState> {
            switch self {
            case .replay: DeadLetterState.unfinished
            case .discard: [.open]
            }
        }
    }
}

/// What an operator selected, as it was at that moment.
package struct FrozenSelection: Hashable, Sendable {
    package let ids: [DeadLetterID]
    /// Asked for by id, and not there.
    package let missing: [DeadLetterID]
}

/// Takes dead letters off the list for good, with a reason that the audit keeps.
package struct DeadLetterDiscard: Sendable {
    private let store: any DeadLetterActions

    package init(store: any DeadLetterActions) {
        self.store = store
    }

    /// - Parameters:
    ///   - ids: frozen; what has been dealt with since is skipped.
    ///   - actor: for the audit.
    ///   - reason: for the audit.
    package func run(_ ids: [DeadLetterID], by actor: String, reason: String) async -> DeadLetterReport {
        var report = DeadLetterReport(selected: ids.count)
        for id in ids {
            if Task.isCancelled {
                report.isCutShort = true
                break
            }
            do throws(StoreError) {
                let outcome = try await store.discard(id, by: actor, reason: reason)
                report.note(id, DeadLetterReport.Item(outcome))
            } catch {
                report.note(id, .failed(error.description))
            }
        }
        return report
    }
}

extension DeadLetterReport.Item {
    init(_ outcome: DiscardOutcome) {
        if case .discarded(let command?) = outcome {
            self = .doneLeaving(command)
        } else {
            self = outcome.explanation.map { .skipped($0, isHarmless: outcome.isHarmless) } ?? .done
        }
    }
}
