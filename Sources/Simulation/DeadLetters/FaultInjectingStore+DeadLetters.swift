import Core

extension FaultInjectingStore: DeadLetterIntake {
    func keep(_ deadLetter: DeadLetter) async throws(StoreError) -> DeadLetterKept {
        let payment = deadLetter.command.paymentID?.description
        return try await call("keep", payment) { () async throws(StoreError) in
            let kept = try await store.keep(deadLetter)
            trace.note(
                .deadLetter,
                kept == .stored ? 1 : 2,
                payment: payment,
                "process \(process) keeps dead letter \(deadLetter.id), \(deadLetter.failure.code): \(kept)"
            )
            return kept
        }
    }

    func countReturn(
        of identity: String,
        _ instance: FailureInstance,
        limit: Int
    ) async throws(StoreError) -> Int? {
        try await call("count", nil) { () async throws(StoreError) in
            let count = try await store.countReturn(of: identity, instance, limit: limit)
            trace.note(
                .deadLetter,
                UInt64(10 + (count ?? 0)),
                "process \(process) may send \(identity) back: \(count ?? 0)"
            )
            return count
        }
    }
}

extension FaultInjectingStore: DeadLetterActions {
    func beginReplay(
        _ id: DeadLetterID,
        by actor: String,
        _ claim: ReplayClaim
    ) async throws(StoreError) -> ReplayStep {
        try await call("replay", nil) { () async throws(StoreError) in
            let step = try await store.beginReplay(id, by: actor, claim)
            trace.note(.deadLetter, 20, "\(actor) replays dead letter \(id): \(step.summary)")
            return step
        }
    }

    func endReplay(
        _ id: DeadLetterID,
        by actor: String,
        _ claim: ReplayClaim,
        _ end: ReplayEnd
    ) async throws(StoreError) -> Bool {
        try await call("end replay", nil) { () async throws(StoreError) in
            trace.note(.deadLetter, 21, "\(actor) has replayed dead letter \(id): \(end.name)")
            return try await store.endReplay(id, by: actor, claim, end)
        }
    }

    func discard(_ id: DeadLetterID, by actor: String, reason: String) async throws(StoreError) -> DiscardOutcome {
        try await call("discard", nil) { () async throws(StoreError) in
            try await store.discard(id, by: actor, reason: reason)
        }
    }
}

extension ReplayStep {
    fileprivate var summary: String {
        switch self {
        case .publish: "published"
        case .answer: "answered from the store"
        case .held: "held by another replay"
        case .ended: "ended already"
        case .skip(let skip): "skipped, \(skip.rawValue)"
        }
    }
}
