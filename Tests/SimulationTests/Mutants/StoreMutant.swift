import Core
import Simulation
import Synchronization

/// A store that changes one call and passes on the others.
protocol StoreMutant: PaymentStore, SweepStore, Outbox, BankStatusStore, MemberStore {
    var store: any ProcessPorts.Store { get }
}

extension StoreMutant {
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

    func bankStatus() async throws(StoreError) -> BankStatus? { try await store.bankStatus() }

    func recordBankStatus(isUnavailable: Bool, cause: String?) async throws(StoreError) {
        try await store.recordBankStatus(isUnavailable: isUnavailable, cause: cause)
    }

    func renewMember(
        _ id: String,
        version: String,
        subscribed: Set<Int>,
        timeout: Duration
    ) async throws(StoreError) -> [Member] {
        try await store.renewMember(id, version: version, subscribed: subscribed, timeout: timeout)
    }

    func members(timeout: Duration) async throws(StoreError) -> [Member] {
        try await store.members(timeout: timeout)
    }

    func removeMember(_ id: String) async throws(StoreError) { try await store.removeMember(id) }

    func noteError(answering request: RequestOrigin) async throws(StoreError) {
        try await store.noteError(answering: request)
    }

    func recordNotified(
        _ operation: Operation,
        isUndeliverable: Bool,
        relaying events: [PaymentEvent]
    ) async throws(StoreError) {
        try await store.recordNotified(operation, isUndeliverable: isUndeliverable, relaying: events)
    }

    // MARK: Sweeps

    func begin(_ run: SweepRunID, _ slot: SweepSlot) async throws(StoreError) -> Bool {
        try await store.begin(run, slot)
    }

    func begin(_ run: SweepRunID, _ job: SweepJob) async throws(StoreError) { try await store.begin(run, job) }

    func finish(_ run: SweepRunID, _ report: SweepReport) async throws(StoreError) {
        try await store.finish(run, report)
    }

    func runs(limit: Int) async throws(StoreError) -> [SweepRun] { try await store.runs(limit: limit) }

    func check(_ check: OpenCheck) async throws(StoreError) -> OpenFindings { try await store.check(check) }

    func compareLateAuthorizations(limit: Int) async throws(StoreError) -> [Operation] {
        try await store.compareLateAuthorizations(limit: limit)
    }

    func check(_ check: AuthorizationCheck) async throws(StoreError) -> AuthorizationFindings {
        try await store.check(check)
    }

    func expire(_ proof: ExpiryProof) async throws(StoreError) -> Bool { try await store.expire(proof) }

    func preview(
        _ job: SweepJob,
        _ policy: SweepPolicy,
        expiredBy: Timestamp?
    ) async throws(StoreError) -> SweepReport {
        try await store.preview(job, policy, expiredBy: expiredBy)
    }

    func removeOld(_ policy: SweepPolicy) async throws(StoreError) -> Int { try await store.removeOld(policy) }

    func backlog() async throws(StoreError) -> Backlog { try await store.backlog() }

    // MARK: Outbox

    func enqueueAwaited(limit: Int) async throws(StoreError) { try await store.enqueueAwaited(limit: limit) }

    func take(limit: Int, hold: Duration) async throws(StoreError) -> [OutboxEntry] {
        try await store.take(limit: limit, hold: hold)
    }

    func note(_ endings: [OutboxEnding]) async throws(StoreError) { try await store.note(endings) }
}

/// What a mutant remembers of the claims that passed through it.
final class KnownClaims: Sendable {
    private let claims = Mutex<[OperationID: Claim]>([:])

    func keep(_ claim: Claim) {
        claims.withLock { $0[claim.operation.id] = claim }
    }

    func claim(_ operation: OperationID) -> Claim? { claims.withLock { $0[operation] } }
}
