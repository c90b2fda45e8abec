import Core
import Simulation

/// Lets everybody run a slot.
struct GenerousStore: StoreMutant {
    let store: any ProcessPorts.Store

    func begin(_ run: SweepRunID, _ slot: SweepSlot) async throws(StoreError) -> Bool {
        _ = try await store.begin(run, slot)
        return true
    }
}

/// Notes as sent what it is about to send.
struct ForgetfulOutbox: StoreMutant {
    let store: any ProcessPorts.Store

    func take(limit: Int, hold: Duration) async throws(StoreError) -> [OutboxEntry] {
        let entries = try await store.take(limit: limit, hold: hold)
        if !entries.isEmpty { try await store.note(entries.map { OutboxEnding($0, .sent) }) }
        return entries
    }

    func note(_ endings: [OutboxEnding]) async throws(StoreError) {}
}

/// Its sweep takes an authorize that is not known after half a minute for one that has failed.
struct HastySweepStore: StoreMutant {
    let store: any ProcessPorts.Store
    private let known = KnownClaims()

    init(store: any ProcessPorts.Store) {
        self.store = store
    }

    func check(_ check: OpenCheck) async throws(StoreError) -> OpenFindings {
        var policy = check.policy
        policy.abandonAfter = .seconds(30)
        let findings = try await store.check(
            OpenCheck(
                limit: check.limit,
                dueBy: check.dueBy,
                token: check.token,
                lease: check.lease,
                policy: policy,
                random: check.random
            )
        )
        for claim in findings.claims where claim.operation.kind == .authorize { known.keep(claim) }
        return findings
    }

    func complete(_ result: OperationResult) async throws(StoreError) -> CompletionOutcome {
        let claim = known.claim(result.operation.id)
        guard let claim, result.operation.lastError == "authorize_abandoned" else {
            return try await store.complete(result)
        }
        let refusal = BankRefusal(code: "timed_out", message: "it took too long")
        let failed = OperationResult.declined(claim, refusal, BankResponse(status: 0, body: .text("")))
        return try await store.complete(failed.notifiedByOutbox(claim))
    }
}
