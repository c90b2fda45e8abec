import Core

extension FaultInjectingStore: SweepStore {
    func begin(_ run: SweepRunID, _ slot: SweepSlot) async throws(StoreError) -> Bool {
        try await call("begin", nil) { () async throws(StoreError) in
            let isOurs = try await store.begin(run, slot)
            trace.note(
                .swept,
                isOurs ? 1 : 0,
                "process \(process) \(isOurs ? "takes" : "finds taken") \(slot.job) of \(slot.start)"
            )
            return isOurs
        }
    }

    func begin(_ run: SweepRunID, _ job: SweepJob) async throws(StoreError) {
        try await call("begin", nil) { () async throws(StoreError) in try await store.begin(run, job) }
    }

    func finish(_ run: SweepRunID, _ report: SweepReport) async throws(StoreError) {
        try await call("finish", nil) { () async throws(StoreError) in
            try await store.finish(run, report)
            witness.noteFinish(of: run)
            trace.note(
                .swept,
                2,
                "process \(process) has swept: \(report.examined) examined, \(report.resolved) resolved"
            )
        }
    }

    func runs(limit: Int) async throws(StoreError) -> [SweepRun] {
        try await call("runs", nil) { () async throws(StoreError) in try await store.runs(limit: limit) }
    }

    func check(_ check: OpenCheck) async throws(StoreError) -> OpenFindings {
        try await call("check", nil) { () async throws(StoreError) in
            let findings = try await store.check(check)
            for claim in findings.claims {
                trace.note(
                    .claimed,
                    UInt64(200 + claim.operation.fencingToken),
                    payment: claim.payment.id.description,
                    "a sweep of process \(process) claims \(claim.operation.name) with fencing token \(claim.operation.fencingToken)"
                )
            }
            return findings
        }
    }

    func compareLateAuthorizations(limit: Int) async throws(StoreError) -> [Operation] {
        try await call("compare", nil) { () async throws(StoreError) in
            try await store.compareLateAuthorizations(limit: limit)
        }
    }

    func check(_ check: AuthorizationCheck) async throws(StoreError) -> AuthorizationFindings {
        try await call("check", nil) { () async throws(StoreError) in try await store.check(check) }
    }

    func expire(_ proof: ExpiryProof) async throws(StoreError) -> Bool {
        let payment = proof.paymentID.description
        return try await call("expire", payment) { () async throws(StoreError) in
            let isExpired = try await store.expire(proof)
            if isExpired { witness.noteExpiry(of: proof.paymentID, proof.authorizationID, grace: grace) }
            trace.note(.swept, 3, payment: payment, "process \(process) expires \(proof.authorizationID): \(isExpired)")
            return isExpired
        }
    }

    func preview(
        _ job: SweepJob,
        _ policy: SweepPolicy,
        expiredBy: Timestamp?
    ) async throws(StoreError) -> SweepReport {
        try await call("preview", nil) { () async throws(StoreError) in
            try await store.preview(job, policy, expiredBy: expiredBy)
        }
    }

    func removeOld(_ policy: SweepPolicy) async throws(StoreError) -> Int {
        try await call("remove", nil) { () async throws(StoreError) in try await store.removeOld(policy) }
    }

    func backlog() async throws(StoreError) -> Backlog {
        try await call("backlog", nil) { () async throws(StoreError) in try await store.backlog() }
    }

    private var grace: Duration { witness.grace }
}

extension FaultInjectingStore: Outbox {
    func enqueueAwaited(limit: Int) async throws(StoreError) {
        try await call("await", nil) { () async throws(StoreError) in try await store.enqueueAwaited(limit: limit) }
    }

    func take(limit: Int, hold: Duration) async throws(StoreError) -> [OutboxEntry] {
        try await call("take", nil) { () async throws(StoreError) in
            let entries = try await store.take(limit: limit, hold: hold)
            for entry in entries {
                trace.note(.relayed, UInt64(entry.id.value), entry.content.message, "is taken by process \(process)")
            }
            return entries
        }
    }

    func note(_ endings: [OutboxEnding]) async throws(StoreError) {
        try await call("note", nil) { () async throws(StoreError) in
            try await store.note(endings)
            for ending in endings {
                trace.note(.relayed, UInt64(ending.entry.id.value), ending.entry.content.message, "\(ending.outcome)")
            }
        }
    }
}
