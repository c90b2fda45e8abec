package import Core

extension InMemoryPaymentStore: DeadLetterIntake {
    package func keep(_ deadLetter: DeadLetter) async throws(StoreError) -> DeadLetterKept {
        let clock = clock
        return try await transaction(.deadLetters) { tables throws(StoreError) in
            guard try tables.deadLetters.insert(deadLetter, at: clock.now()) else { return .known }
            guard deadLetter.failure.source == .broker, let operation = tables.operation(of: deadLetter),
                operation.isOpen, operation.leaseUntil <= clock.now()
            else { return .stored }
            var opened = operation
            opened.countRequestOfLostHolder()
            opened.state = .needsAttention
            opened.isNotified = false
            opened.lastError = deadLetter.failure.code
            let cause = "\(opened.kind.rawValue) needs attention: dead letter \(deadLetter.failure.code)"
            try tables.change(opened, cause: cause, at: clock.now())
            return .stored
        }
    }

    package func countReturn(
        of identity: String,
        _ instance: FailureInstance,
        limit: Int
    ) async throws(StoreError) -> Int? {
        try await transaction(.deadLetters) { tables throws(StoreError) in
            tables.deadLetters.countReturn(of: identity, instance, limit: limit)
        }
    }
}

extension InMemoryPaymentStore: DeadLetterQueries {
    package func deadLetters(_ filter: DeadLetterFilter, limit: Int) async throws(StoreError) -> [DeadLetter] {
        let now = clock.now()
        return try await read { tables in
            Array(tables.deadLetters(matching: filter, now: now).reversed().prefix(limit))
        }
    }

    package func deadLetter(_ id: DeadLetterID) async throws(StoreError) -> DeadLetterView? {
        let now = clock.now()
        return try await read { tables in
            tables.deadLetters.deadLetter(id, at: now).map {
                DeadLetterView(
                    deadLetter: $0,
                    audit: tables.deadLetters.audit[id] ?? [],
                    operation: tables.operation(of: $0)?.state
                )
            }
        }
    }

    package func deadLetterIDs(_ selection: DeadLetterSelection) async throws(StoreError) -> [DeadLetterID] {
        let now = clock.now()
        return try await read { tables in
            switch selection {
            case .ids(let ids):
                return tables.deadLetters.sorted(at: now) { ids.contains($0.id) }.map(\.id)
            case .matching(let filter, let limit):
                let found = tables.deadLetters(matching: filter, now: now)
                return found.prefix(limit ?? found.count).map(\.id)
            }
        }
    }

    package func replayStep(of id: DeadLetterID) async throws(StoreError) -> ReplayStep {
        let now = clock.now()
        return try await read { tables in
            tables.deadLetters.deadLetter(id, at: now).map {
                ReplayDecision($0, operation: tables.operation(of: $0), now: now).step
            } ?? .skip(.notFound)
        }
    }

    package func discardOutcome(of id: DeadLetterID) async throws(StoreError) -> DiscardOutcome {
        let now = clock.now()
        return try await read { tables in
            tables.deadLetters.deadLetter(id, at: now).map {
                DiscardOutcome(discarding: $0, operation: tables.operation(of: $0))
            } ?? .notFound
        }
    }

    package func unfinishedDeadLetters() async throws(StoreError) -> [String: Int] {
        let now = clock.now()
        return try await read { tables in
            tables.deadLetters.sorted(at: now) { !$0.state.isClosed }.reduce(into: [:]) { counts, deadLetter in
                counts[deadLetter.failure.code, default: 0] += 1
            }
        }
    }
}

extension InMemoryPaymentStore: DeadLetterActions {
    package func beginReplay(
        _ id: DeadLetterID,
        by actor: String,
        _ claim: ReplayClaim
    ) async throws(StoreError) -> ReplayStep {
        let clock = clock
        return try await transaction(.deadLetters) { tables throws(StoreError) in
            let now = clock.now()
            guard let deadLetter = tables.deadLetters.deadLetter(id, at: now) else { return .skip(.notFound) }
            let decision = ReplayDecision(
                deadLetter,
                operation: tables.operation(of: deadLetter),
                claim: claim,
                now: now
            )
            if let reopened = decision.reopened {
                let cause = "\(reopened.kind.rawValue) reopened: its dead letter is replayed"
                try tables.change(reopened, cause: cause, at: clock.now())
            }
            if let deadLetter = decision.deadLetter {
                try tables.deadLetters.update(deadLetter, at: now)
                tables.audit(id, actor, "replay", "started", nil, at: now)
                if let row = AwaitedTable.Row(deadLetter) { tables.awaited.remove(row) }
            }
            return decision.step
        }
    }

    package func endReplay(
        _ id: DeadLetterID,
        by actor: String,
        _ claim: ReplayClaim,
        _ end: ReplayEnd
    ) async throws(StoreError) -> Bool {
        let clock = clock
        return try await transaction(.deadLetters) { tables throws(StoreError) in
            // Also when its lease is over, as long as nobody else has taken it.
            guard let deadLetter = tables.deadLetters.claimed(id, by: claim) else { return false }
            tables.deadLetters.put(end.applied(to: deadLetter, at: clock.now()))
            tables.audit(id, actor, "replay", end.name, end.reason, at: clock.now())
            if end == .replayed { tables.noteErasure(of: deadLetter, by: actor, .closed, at: clock.now()) }
            return true
        }
    }

    package func discard(
        _ id: DeadLetterID,
        by actor: String,
        reason: String
    ) async throws(StoreError) -> DiscardOutcome {
        let clock = clock
        return try await transaction(.deadLetters) { tables throws(StoreError) in
            guard var deadLetter = tables.deadLetters.deadLetter(id, at: clock.now()) else { return .notFound }
            let operation = tables.operation(of: deadLetter)
            let outcome = DiscardOutcome(discarding: deadLetter, operation: operation)
            guard case .discarded = outcome else { return outcome }
            if deadLetter.isAnswered(by: operation), let row = AwaitedTable.Row(deadLetter) { tables.awaited.add(row) }
            let before = deadLetter
            deadLetter.state = .discarded
            deadLetter.eraseSealedCard()
            try tables.deadLetters.update(deadLetter, at: clock.now())
            tables.audit(id, actor, "discard", "discarded", reason, at: clock.now())
            tables.noteErasure(of: before, by: actor, .closed, at: clock.now())
            return outcome
        }
    }
}

extension StoreTables {
    /// Oldest first.
    fileprivate func deadLetters(matching filter: DeadLetterFilter, now: Timestamp) -> [DeadLetter] {
        deadLetters.sorted(at: now) { deadLetter in
            let order = deadLetter.command.paymentID.flatMap { payments[$0]?.orderID }
            return filter.matches(deadLetter, order: order, now: now)
        }
    }

    /// The one under the merchant and key of the dead letter.
    fileprivate func operation(of deadLetter: DeadLetter) -> Operation? {
        guard let merchant = deadLetter.command.merchantID, let key = deadLetter.command.idempotencyKey,
            let operation = operation(merchant, key), operation.paymentID == deadLetter.command.paymentID,
            operation.kind == deadLetter.command.kind
        else { return nil }
        return operation
    }

    fileprivate mutating func change(_ operation: Operation, cause: String, at now: Timestamp) throws(StoreError) {
        try apply(Changes(operation: operation, payment: nil, transition: nil), at: now)
        if let payment = payments[operation.paymentID] { note(cause, by: operation.kind, on: payment, at: now) }
    }

    /// Where it held a sealed card.
    fileprivate mutating func noteErasure(
        of deadLetter: DeadLetter,
        by actor: String,
        _ erasure: SealedCardErasure,
        at now: Timestamp
    ) {
        guard deadLetter.content.sealedCard != nil else { return }
        let (action, result) = (SealedCardErasure.action, SealedCardErasure.result)
        audit(deadLetter.id, actor, action, result, erasure.rawValue, at: now)
    }

    /// - Returns: how many were erased.
    mutating func eraseSealedCards(_ policy: SweepPolicy, at now: Timestamp) -> Int {
        var erased = 0
        for deadLetter in deadLetters.rows.values.sorted(by: { $0.id < $1.id }) where erased < policy.batch {
            let kept = deadLetters.keptSince[deadLetter.id]?.duration(to: now) ?? .zero
            guard
                let erasure = SealedCardErasure(
                    deadLetter,
                    operation: operation(of: deadLetter),
                    kept: kept,
                    limit: policy.keepsSealedCards,
                    now: now
                )
            else { continue }
            var changed = deadLetter
            changed.eraseSealedCard()
            deadLetters.put(changed)
            noteErasure(of: deadLetter, by: SealedCardErasure.actor, erasure, at: now)
            erased += 1
        }
        return erased
    }

    fileprivate mutating func audit(
        _ id: DeadLetterID,
        _ actor: String,
        _ action: String,
        _ result: String,
        _ reason: String?,
        at now: Timestamp
    ) {
        let entry = DeadLetterAuditEntry(at: now, actor: actor, action: action, result: result, reason: reason)
        deadLetters.add(entry, to: id)
    }
}
