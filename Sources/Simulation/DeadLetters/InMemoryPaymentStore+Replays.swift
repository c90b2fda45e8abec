package import Core

extension InMemoryPaymentStore: ReplayStore {
    package func createReplay(
        _ id: ReplayID,
        _ order: ReplayOrder,
        of ids: [DeadLetterID]
    ) async throws(StoreError) -> ReplayRun {
        let now = clock.now()
        return try await transaction(.replays) { tables throws(StoreError) in
            let run = ReplayRun(
                id: id,
                order: order,
                createdAt: now,
                state: ids.isEmpty ? .finished : .running,
                counts: ReplayRun.Counts(selected: ids.count),
                finishedAt: ids.isEmpty ? now : nil
            )
            tables.replays.put(ReplayTable.Row(run: run, items: ids.map { ReplayTable.Item(deadLetter: $0) }))
            return run
        }
    }

    package func replays(limit: Int) async throws(StoreError) -> [ReplayRun] {
        try await read { Array($0.replays.sorted().reversed().prefix(limit)) }
    }

    package func replay(_ id: ReplayID) async throws(StoreError) -> ReplayRun? {
        try await read { $0.replays.rows[id]?.run }
    }

    package func replayView(_ id: ReplayID) async throws(StoreError) -> ReplayView? {
        try await read { tables in
            tables.replays.rows[id].map { row in
                let problems = row.items.compactMap { item -> ReplayView.Problem? in
                    guard let result = item.result, result != .replayed else { return nil }
                    return ReplayView.Problem(deadLetter: item.deadLetter, result: result, reason: item.reason ?? "")
                }
                return ReplayView(run: row.run, problems: Array(problems.prefix(ReplayView.mostProblems)))
            }
        }
    }

    package func takeReplay(_ id: ReplayID?) async throws(StoreError) -> ReplayRun? {
        let clock = clock
        return try await transaction(.replays) { tables throws(StoreError) in
            let now = clock.now()
            let free = tables.replays.sorted().first { run in
                (id == nil || run.id == id) && run.state == .running
                    && tables.replays.rows[run.id]?.isTaken(at: now) == false
            }
            guard let free, var row = tables.replays.rows[free.id] else { return nil }
            row.run = row.run.with(fencingToken: row.run.fencingToken + 1)
            row.leaseUntil = now.advanced(by: ReplayClaim.runLease)
            tables.replays.put(row)
            return row.run
        }
    }

    package func remainingDeadLetters(
        of id: ReplayID,
        after position: Int,
        limit: Int
    ) async throws(StoreError) -> [ReplayPosition] {
        try await read { tables in
            let items = (tables.replays.rows[id]?.items ?? []).enumerated()
            let left = items.filter { $0.offset + 1 > position && $0.element.result == nil }
            return left.prefix(limit).map { ReplayPosition(position: $0.offset + 1, deadLetter: $0.element.deadLetter) }
        }
    }

    package func note(_ claim: ReplayClaim, _ entry: DeadLetterReport.Entry?) async throws(StoreError) -> ReplayNote {
        let clock = clock
        return try await transaction(.replays) { tables throws(StoreError) in
            guard var row = tables.replays.rows[claim.replay], row.run.isHeld(by: claim) else { return .superseded }
            row.leaseUntil = clock.now().advanced(by: ReplayClaim.runLease)
            if let entry, let index = row.items.firstIndex(where: { $0.deadLetter == entry.id && $0.result == nil }) {
                let (result, reason) = entry.item.replayed
                row.items[index].result = result
                row.items[index].reason = reason
                row.run = row.run.with(counts: row.run.counts.adding(result))
            }
            tables.replays.put(row)
            return row.isToStop ? .stop : .goOn
        }
    }

    package func endReplay(
        _ claim: ReplayClaim,
        _ state: ReplayRun.State?,
        reason: String?
    ) async throws(StoreError) {
        let clock = clock
        try await transaction(.replays) { tables throws(StoreError) in
            guard var row = tables.replays.rows[claim.replay], row.run.isHeld(by: claim) else { return }
            row.leaseUntil = nil
            if let state { row.run = row.run.with(state: state, finishedAt: clock.now(), reason: reason) }
            tables.replays.put(row)
        }
    }

    package func stopReplay(_ id: ReplayID, by actor: String) async throws(StoreError) -> ReplayRun? {
        let clock = clock
        return try await transaction(.replays) { tables throws(StoreError) in
            guard var row = tables.replays.rows[id] else { return nil }
            guard row.run.state == .running else { return row.run }
            row.isToStop = true
            row.run = row.run.with(stoppedBy: row.run.stoppedBy ?? actor)
            if !row.isTaken(at: clock.now()) { row.run = row.run.with(state: .stopped, finishedAt: clock.now()) }
            tables.replays.put(row)
            return row.run
        }
    }

    package func withdrawReplay(_ id: ReplayID, reason: String) async throws(StoreError) -> Bool {
        let clock = clock
        return try await transaction(.replays) { tables throws(StoreError) in
            guard var row = tables.replays.rows[id], row.run.state == .running, row.run.fencingToken == 0 else {
                return false
            }
            row.run = row.run.with(state: .failed, finishedAt: clock.now(), reason: reason)
            tables.replays.put(row)
            return true
        }
    }
}

extension ReplayRun {
    fileprivate func isHeld(by claim: ReplayClaim) -> Bool { self.claim == claim && state == .running }

    fileprivate func with(
        state: State? = nil,
        counts: Counts? = nil,
        fencingToken: Int64? = nil,
        finishedAt: Timestamp? = nil,
        stoppedBy: String? = nil,
        reason: String? = nil
    ) -> ReplayRun {
        ReplayRun(
            id: id,
            order: order,
            createdAt: createdAt,
            state: state ?? self.state,
            counts: counts ?? self.counts,
            fencingToken: fencingToken ?? self.fencingToken,
            finishedAt: finishedAt ?? self.finishedAt,
            stoppedBy: stoppedBy ?? self.stoppedBy,
            reason: reason ?? self.reason
        )
    }
}

extension ReplayRun.Counts {
    fileprivate func adding(_ result: ReplayResult) -> ReplayRun.Counts {
        var counts = self
        switch result {
        case .replayed: counts.replayed += 1
        case .skipped: counts.skipped += 1
        case .refused:
            counts.skipped += 1
            counts.refused += 1
        case .failed: counts.failed += 1
        }
        return counts
    }
}
