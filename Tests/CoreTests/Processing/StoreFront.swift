import Core
import Simulation

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
