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
