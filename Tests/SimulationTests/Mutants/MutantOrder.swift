import Core
import Simulation

/// Gives each operation a bank key of its own, which is lost with its row.
struct RandomKeyStore: StoreMutant {
    let store: any ProcessPorts.Store

    func claim(_ request: ClaimRequest) async throws(StoreError) -> ClaimOutcome {
        try await store.claim(
            ClaimRequest(
                command: request.command,
                operationID: request.operationID,
                token: request.token,
                lease: request.lease,
                bankKey: "op_\(request.operationID)",
                hasWaited: request.hasWaited
            )
        )
    }
}

/// Waits for no command that waits.
struct OvertakingStore: StoreMutant {
    let store: any ProcessPorts.Store

    func claim(_ request: ClaimRequest) async throws(StoreError) -> ClaimOutcome {
        let outcome = try await store.claim(request)
        guard case .wait(.earlierCommand, .some) = outcome else { return outcome }
        // Whoever came before it has lost its place by that.
        try await store.withdraw(request.command, behind: store.line(before: request.command))
        return try await store.claim(request)
    }
}

/// Says that it keeps a place, also where it cannot.
struct PlacelessStore: StoreMutant {
    let store: any ProcessPorts.Store

    func register(_ command: Command) async throws(StoreError) {
        try? await store.register(command)
    }
}

/// Knows nothing of what the others have seen.
struct SilentStore: StoreMutant {
    let store: any ProcessPorts.Store

    func bankStatus() async throws(StoreError) -> BankStatus? { nil }
}

/// Sees nobody but itself, and so takes every partition for its own: never lets go of one.
struct LonelyStore: StoreMutant {
    let store: any ProcessPorts.Store

    func renewMember(
        _ id: String,
        version: String,
        subscribed: Set<Int>,
        timeout: Duration
    ) async throws(StoreError) -> [Member] {
        try await store.renewMember(id, version: version, subscribed: subscribed, timeout: timeout).filter {
            $0.id == id
        }
    }
}

/// Judges by its own clock who has not been seen for too long.
struct OwnClockStore: StoreMutant {
    let store: any ProcessPorts.Store
    let time: any TimeSource

    func renewMember(
        _ id: String,
        version: String,
        subscribed: Set<Int>,
        timeout: Duration
    ) async throws(StoreError) -> [Member] {
        let now = time.now()
        let members = try await store.renewMember(id, version: version, subscribed: subscribed, timeout: timeout)
        return members.filter { $0.id == id || $0.lastSeen.duration(to: now) < timeout }
    }
}

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
