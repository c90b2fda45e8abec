import Core
import Simulation
import Synchronization

/// Stands before a store, changes one call and passes on the others.
protocol StoreFront: PaymentStore & BankStatusStore {
    var store: InMemoryPaymentStore { get }
}

extension StoreFront {
    func bankStatus() async throws(StoreError) -> BankStatus? { try await store.bankStatus() }

    func recordBankStatus(isUnavailable: Bool, cause: String?) async throws(StoreError) {
        try await store.recordBankStatus(isUnavailable: isUnavailable, cause: cause)
    }

    func claim(_ request: ClaimRequest) async throws(StoreError) -> ClaimOutcome { try await store.claim(request) }

    func complete(_ result: OperationResult) async throws(StoreError) -> CompletionOutcome {
        try await store.complete(result)
    }

    func register(_ command: Command) async throws(StoreError) { try await store.register(command) }

    func checkAvailability() async throws(StoreError) { try await store.checkAvailability() }

    func line(before command: Command) async throws(StoreError) -> LineMark? {
        try await store.line(before: command)
    }

    func awaitReply(to command: Command) async throws(StoreError) {
        try await store.awaitReply(to: command)
    }

    func withdraw(_ command: Command, behind line: LineMark?) async throws(StoreError) {
        try await store.withdraw(command, behind: line)
    }

    func noteError(answering request: RequestOrigin) async throws(StoreError) {
        try await store.noteError(answering: request)
    }

    func recordNotified(
        _ operation: Core.Operation,
        isUndeliverable: Bool,
        relaying events: [PaymentEvent]
    ) async throws(StoreError) {
        try await store.recordNotified(operation, isUndeliverable: isUndeliverable, relaying: events)
    }
}

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

/// Answers captures with another payment's amount while it is told to: nothing has happened, and manual review is
/// needed.
final class LyingBank: Sendable {
    private let isLying = Mutex(true)

    func lie(_ isOn: Bool) {
        isLying.withLock { $0 = isOn }
    }

    func before(_ bank: any Bank) -> any Bank { Front(lies: self, bank: bank) }

    private struct Front: Bank {
        let lies: LyingBank
        let bank: any Bank

        func send(_ request: BankRequest, late: @escaping @Sendable (BankAnswer) -> Void) async -> BankAnswer {
            let isLie = lies.isLying.withLock { $0 } && request.action.kind == .capture
            guard isLie else { return await bank.send(request) }
            let body = JSONValue.object([
                "capture_id": .string("cap_other"), "authorization_id": .string("auth_other"),
                "status": .string("captured"), "amount": .integer(1), "currency": .string("USD"),
                "captured_at": .string("2030-01-01T00:00:00Z"),
            ])
            return .response(BankResponse(status: 200, body: .json(body)))
        }
    }
}
