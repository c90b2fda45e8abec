import Core
import Simulation

/// Replays an authorization of another payment under every key.
struct ReplayingBank: Bank, BankQueries {
    let bank: InMemoryBank
    let id: String

    func send(_ request: BankRequest, late: @escaping @Sendable (BankAnswer) -> Void) async -> BankAnswer {
        let body = JSONValue.object([
            "authorization_id": .string(id), "status": .string("approved"), "amount": .integer(5_000),
            "currency": .string("USD"),
        ])
        return .response(BankResponse(status: 200, body: .json(body), isReplayed: true))
    }

    func ask(_ query: BankQuery, timeout: Duration) async -> BankAnswer {
        await bank.ask(query, timeout: timeout)
    }
}

/// Answers, but says that it is not well.
struct IllBank: Bank, BankQueries {
    let bank: InMemoryBank

    func send(_ request: BankRequest, late: @escaping @Sendable (BankAnswer) -> Void) async -> BankAnswer {
        await bank.send(request, late: late)
    }

    func ask(_ query: BankQuery, timeout: Duration) async -> BankAnswer {
        guard query == .health else { return await bank.ask(query, timeout: timeout) }
        return .response(BankResponse(status: 503, body: .json(.object(["status": .string("unhealthy")]))))
    }
}

/// Does not see who has an id of the bank: as if that came a moment later.
struct BlindStore: StoreFront, ResolutionStore {
    let store: InMemoryPaymentStore

    func takeForResolution(
        _ seen: Core.Operation,
        by token: ClaimToken,
        lease: Duration
    ) async throws(StoreError) -> Claim? {
        try await store.takeForResolution(seen, by: token, lease: lease)
    }

    func owner(ofBankID id: String) async throws(StoreError) -> PaymentID? { nil }
}

/// Takes, and is away for what comes then.
struct CompletingNowhere: StoreFront, ResolutionStore {
    let store: InMemoryPaymentStore

    func takeForResolution(
        _ seen: Core.Operation,
        by token: ClaimToken,
        lease: Duration
    ) async throws(StoreError) -> Claim? {
        try await store.takeForResolution(seen, by: token, lease: lease)
    }

    func owner(ofBankID id: String) async throws(StoreError) -> PaymentID? { try await store.owner(ofBankID: id) }

    func complete(_ result: OperationResult) async throws(StoreError) -> CompletionOutcome {
        throw StoreError(.unavailable, detail: "08006")
    }
}
