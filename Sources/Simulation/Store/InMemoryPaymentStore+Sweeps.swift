package import Core

extension InMemoryPaymentStore: SweepStore {
    package func begin(_ run: SweepRunID, _ slot: SweepSlot) async throws(StoreError) -> Bool {
        let now = clock.now()
        return try await transaction(.sweep) { tables throws(StoreError) in
            tables.sweeps.begin(run, slot, at: now)
        }
    }

    package func begin(_ run: SweepRunID, _ job: SweepJob) async throws(StoreError) {
        let now = clock.now()
        try await transaction(.sweep) { tables throws(StoreError) in
            tables.sweeps.begin(run, job, at: now)
        }
    }

    package func finish(_ run: SweepRunID, _ report: SweepReport) async throws(StoreError) {
        let now = clock.now()
        try await transaction(.sweep) { tables throws(StoreError) in tables.sweeps.write(report, of: run, at: now) }
    }

    package func runs(limit: Int) async throws(StoreError) -> [SweepRun] {
        try await read { tables in Array(tables.sweeps.runs.reversed().prefix(limit)) }
    }

    package func check(_ check: OpenCheck) async throws(StoreError) -> OpenFindings {
        let clock = clock
        return try await transaction(.sweep) { tables throws(StoreError) in
            let now = clock.now()
            var findings = OpenFindings(now: now)
            for id in tables.dueOperations(by: min(check.dueBy ?? now, now)).prefix(check.limit) {
                guard let operation = tables.operations[id], let payment = tables.payments[operation.paymentID]
                else { continue }
                let checks = tables.sweeps.open[id]?.checks ?? 0
                switch OpenDecision(operation, checks: checks, check, now: now) {
                case .forget:
                    tables.sweeps.open[id] = nil
                    findings.forgotten += 1
                case .notify:
                    tables.notify(operation, payment, at: now)
                    findings.notified += 1
                case .wait(let until):
                    tables.sweeps.open[id] = SweepTables.Due(at: until, checks: checks + 1)
                    findings.waiting += 1
                case .take(let taken, let next):
                    let changes = StoreTables.Changes(operation: taken, payment: nil, transition: nil)
                    try tables.apply(changes, at: now)
                    tables.sweeps.open[id] = SweepTables.Due(at: next, checks: checks + 1)
                    findings.claims.append(Claim(operation: taken, payment: payment))
                }
            }
            return findings
        }
    }

    package func compareLateAuthorizations(limit: Int) async throws(StoreError) -> [Operation] {
        let clock = clock
        return try await transaction(.sweep) { tables throws(StoreError) in
            tables.compareLateAuthorizations(limit: limit, at: clock.now())
        }
    }

    package func check(_ check: AuthorizationCheck) async throws(StoreError) -> AuthorizationFindings {
        try await transaction(.sweep) { tables throws(StoreError) in
            var findings = AuthorizationFindings()
            for id in tables.dueAuthorizations(by: check.expiredBy).prefix(check.limit) {
                guard let payment = tables.payments[id], let checks = tables.sweeps.authorizations[id]?.due.checks
                else { continue }
                let random = check.random ^ id.value.low
                let next = check.expiredBy.advanced(by: check.policy.backoff(checks: checks, random: random))
                tables.sweeps.authorizations[id]?.due = SweepTables.Due(at: next, checks: checks + 1)
                switch AuthorizationDecision(payment, voidsExpired: check.voidsExpired) {
                case .ask: findings.needingCheck.append(payment)
                case .void: findings.voidable.append(payment)
                case .wait: findings.waiting += 1
                case .forget:
                    tables.sweeps.authorizations[id] = nil
                    findings.forgotten += 1
                }
            }
            return findings
        }
    }

    package func expire(_ proof: ExpiryProof) async throws(StoreError) -> Bool {
        let clock = clock
        return try await transaction(.sweep) { tables throws(StoreError) in
            guard let payment = tables.payments[proof.paymentID],
                let operation = tables.sweeps.authorizations[proof.paymentID]?.operation,
                let expiry = Expiry(proof, payment, operation: operation)
            else { return false }
            try tables.apply(expiry, at: clock.now())
            return true
        }
    }

    package func preview(
        _ job: SweepJob,
        _ policy: SweepPolicy,
        expiredBy: Timestamp?
    ) async throws(StoreError) -> SweepReport {
        let now = clock.now()
        return try await read { tables in
            switch job {
            case .reconcile:
                let open = tables.dueOperations(by: now).compactMap { tables.operations[$0] }
                    .filter { $0.isOpen || !$0.isNotified }
                return SweepReport(examined: open.count, waiting: open.count)
            case .expire:
                let due = tables.dueAuthorizations(by: expiredBy ?? now).compactMap { tables.payments[$0] }
                    .filter { $0.status == .authorized }
                return SweepReport(examined: due.count, waiting: due.count)
            case .retention:
                let limit = now.advanced(by: .zero - policy.keepsRelayed)
                let oldRuns = now.advanced(by: .zero - policy.keepsRuns)
                let old =
                    tables.outbox.rows.count { $0.sentAt.map { $0 < limit } ?? false }
                    + tables.sweeps.runs.count { $0.startedAt < oldRuns }
                return SweepReport(examined: old, waiting: old)
            }
        }
    }

    package func removeOld(_ policy: SweepPolicy) async throws(StoreError) -> Int {
        let now = clock.now()
        return try await transaction(.sweep) { tables throws(StoreError) in
            let oldRuns = now.advanced(by: .zero - policy.keepsRuns)
            let sentBefore = now.advanced(by: .zero - policy.keepsRelayed)
            let lost = now.advanced(by: .zero - policy.keepsWaiting)
            return tables.sweeps.removeRuns(startedBefore: oldRuns, most: policy.batch)
                + tables.waiting.remove(seenBefore: lost, most: policy.batch)
                + tables.outbox.remove(sentBefore: sentBefore, most: policy.batch)
                + tables.eraseSealedCards(policy, at: now)
        }
    }

    package func backlog() async throws(StoreError) -> Backlog {
        let now = clock.now()
        return try await read { tables in
            let open = tables.operations.values.filter(\.isOpen)
            let waiting = Dictionary(grouping: tables.outbox.unsent) { $0.content.destination.role == .events }
            let oldest = waiting[false]?.map(\.createdAt).min()
            return Backlog(
                open: Dictionary(grouping: open, by: \.kind).mapValues(\.count),
                outboxOldest: oldest.map { $0.duration(to: now) } ?? .zero,
                eventsWaiting: waiting[true]?.count ?? 0
            )
        }
    }
}

extension InMemoryPaymentStore: Outbox {
    package func enqueueAwaited(limit: Int) async throws(StoreError) {
        let clock = clock
        try await transaction(.outbox) { tables throws(StoreError) in tables.enqueueAwaited(at: clock.now()) }
    }

    package func take(limit: Int, hold: Duration) async throws(StoreError) -> [OutboxEntry] {
        let clock = clock
        return try await transaction(.outbox) { tables throws(StoreError) in
            tables.outbox.take(limit: limit, hold: hold, now: clock.now())
        }
    }

    package func note(_ endings: [OutboxEnding]) async throws(StoreError) {
        let clock = clock
        try await transaction(.outbox) { tables throws(StoreError) in
            for ending in endings {
                tables.outbox.note(ending, at: clock.now())
                if ending.outcome == .undeliverable, let operation = ending.entry.content.operationID {
                    tables.markUndeliverable(operation)
                }
            }
        }
    }
}

extension StoreTables {
    /// In the order of their due time.
    fileprivate func dueOperations(by limit: Timestamp) -> [OperationID] {
        sweeps.open.filter { $0.value.at <= limit }
            .sorted { ($0.value.at, $0.key.value) < ($1.value.at, $1.key.value) }.map(\.key)
    }

    /// By way of the outbox: what nobody has told.
    fileprivate mutating func notify(_ operation: Operation, _ payment: Payment, at now: Timestamp) {
        markNotified(operation, isUndeliverable: false)
        let hasDeadLetter = deadLetters.rows.values.contains { deadLetter in
            !deadLetter.state.isClosed && deadLetter.command.kind == operation.kind
                && deadLetter.command.merchantID == operation.merchantID
                && deadLetter.command.idempotencyKey == operation.idempotencyKey
        }
        outbox.append(OutboxMessage.notifying(operation, payment, hasDeadLetter: hasDeadLetter), at: now)
        sweeps.open[operation.id] = nil
    }

    fileprivate func dueAuthorizations(by limit: Timestamp) -> [PaymentID] {
        sweeps.authorizations.filter { $0.value.due.at <= limit }
            .sorted { ($0.value.due.at, $0.key) < ($1.value.due.at, $1.key) }.map(\.key)
    }
}
