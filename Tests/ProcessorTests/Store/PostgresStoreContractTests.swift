import Core
import Postgres
import StoreContract
import Synchronization
import TestSupport
import Testing

@testable import Processor

@Suite("The PostgreSQL store keeps the store contract", .serialized, .timeLimit(.minutes(5)))
struct PostgresStoreContractTests {
    /// Store and questions as one, as the contract asks for them.
    struct Store: ResolutionStore, PaymentQueries {
        let payments: PostgresPaymentStore
        let queries: PostgresPaymentQueries
        let deadLetters: PostgresDeadLetterStore

        func claim(_ request: ClaimRequest) async throws(StoreError) -> ClaimOutcome {
            try await payments.claim(request)
        }

        func complete(_ result: OperationResult) async throws(StoreError) -> CompletionOutcome {
            try await payments.complete(result)
        }

        func register(_ command: Command) async throws(StoreError) { try await payments.register(command) }

        func checkAvailability() async throws(StoreError) { try await payments.checkAvailability() }

        func line(before command: Command) async throws(StoreError) -> LineMark? {
            try await payments.line(before: command)
        }

        func awaitReply(to command: Command) async throws(StoreError) {
            try await payments.awaitReply(to: command)
        }

        func withdraw(_ command: Command, behind line: LineMark?) async throws(StoreError) {
            try await payments.withdraw(command, behind: line)
        }

        func noteError(answering request: RequestOrigin) async throws(StoreError) {
            try await payments.noteError(answering: request)
        }

        func recordNotified(
            _ operation: Operation,
            isUndeliverable: Bool,
            relaying events: [PaymentEvent]
        ) async throws(StoreError) {
            try await payments.recordNotified(operation, isUndeliverable: isUndeliverable, relaying: events)
        }

        func takeForResolution(
            _ seen: Core.Operation,
            by token: ClaimToken,
            lease: Duration
        ) async throws(StoreError) -> Claim? {
            try await payments.takeForResolution(seen, by: token, lease: lease)
        }

        func owner(ofBankID id: String) async throws(StoreError) -> PaymentID? {
            try await payments.owner(ofBankID: id)
        }

        func payment(_ id: PaymentID) async throws(StoreError) -> PaymentView? {
            try await queries.payment(id)
        }

        func payments(_ query: PaymentQuery) async throws(StoreError) -> PaymentPage {
            try await queries.payments(query)
        }
    }

    struct Subject: StoreUnderTest {
        let store: Store
        let members: PostgresMemberStore
        var sweeps: PostgresPaymentStore { store.payments }

        var now: Timestamp { SystemTime().now() }

        /// The database's clock cannot be turned: real time has to pass.
        func pass(_ duration: Duration) async throws {
            try await Task.sleep(for: duration)
        }
    }

    @Test("every check", arguments: StoreCheck<Subject>.all)
    func check(_ check: StoreCheck<Subject>) async throws {
        try await TestDatabase.with { pools in
            let store = Store(
                payments: PostgresPaymentStore(
                    pools,
                    fingerprinter: Fingerprinter(secret: Array("secret".utf8))
                ),
                queries: PostgresPaymentQueries(pool: pools.queries),
                deadLetters: PostgresDeadLetterStore(pool: pools.queries)
            )
            try await check.run(on: Subject(store: store, members: PostgresMemberStore(pool: pools.watch)))
        }
    }
}

extension PostgresStoreContractTests.Store: DeadLetterIntake, DeadLetterQueries, DeadLetterActions {
    func keep(_ deadLetter: DeadLetter) async throws(StoreError) -> DeadLetterKept {
        try await deadLetters.keep(deadLetter)
    }

    func countReturn(
        of identity: String,
        _ instance: FailureInstance,
        limit: Int
    ) async throws(StoreError) -> Int? {
        try await deadLetters.countReturn(of: identity, instance, limit: limit)
    }

    func deadLetters(_ filter: DeadLetterFilter, limit: Int) async throws(StoreError) -> [DeadLetter] {
        try await deadLetters.deadLetters(filter, limit: limit)
    }

    func deadLetter(_ id: DeadLetterID) async throws(StoreError) -> DeadLetterView? {
        try await deadLetters.deadLetter(id)
    }

    func replayStep(of id: DeadLetterID) async throws(StoreError) -> ReplayStep {
        try await deadLetters.replayStep(of: id)
    }

    func discardOutcome(of id: DeadLetterID) async throws(StoreError) -> DiscardOutcome {
        try await deadLetters.discardOutcome(of: id)
    }

    func deadLetterIDs(_ selection: DeadLetterSelection) async throws(StoreError) -> [DeadLetterID] {
        try await deadLetters.deadLetterIDs(selection)
    }

    func unfinishedDeadLetters() async throws(StoreError) -> [String: Int] {
        try await deadLetters.unfinishedDeadLetters()
    }

    func beginReplay(
        _ id: DeadLetterID,
        by actor: String,
        _ claim: ReplayClaim
    ) async throws(StoreError) -> ReplayStep {
        try await deadLetters.beginReplay(id, by: actor, claim)
    }

    func endReplay(
        _ id: DeadLetterID,
        by actor: String,
        _ claim: ReplayClaim,
        _ end: ReplayEnd
    ) async throws(StoreError) -> Bool {
        try await deadLetters.endReplay(id, by: actor, claim, end)
    }

    func discard(_ id: DeadLetterID, by actor: String, reason: String) async throws(StoreError) -> DiscardOutcome {
        try await deadLetters.discard(id, by: actor, reason: reason)
    }
}

extension PostgresStoreContractTests.Store: ReplayStore {
    func createReplay(
        _ id: ReplayID,
        _ order: ReplayOrder,
        of ids: [DeadLetterID]
    ) async throws(StoreError) -> ReplayRun {
        try await deadLetters.createReplay(id, order, of: ids)
    }

    func replays(limit: Int) async throws(StoreError) -> [ReplayRun] { try await deadLetters.replays(limit: limit) }

    func replay(_ id: ReplayID) async throws(StoreError) -> ReplayRun? { try await deadLetters.replay(id) }

    func replayView(_ id: ReplayID) async throws(StoreError) -> ReplayView? { try await deadLetters.replayView(id) }

    func takeReplay(_ id: ReplayID?) async throws(StoreError) -> ReplayRun? { try await deadLetters.takeReplay(id) }

    func remainingDeadLetters(
        of id: ReplayID,
        after position: Int,
        limit: Int
    ) async throws(StoreError) -> [ReplayPosition] {
        try await deadLetters.remainingDeadLetters(of: id, after: position, limit: limit)
    }

    func note(_ claim: ReplayClaim, _ entry: DeadLetterReport.Entry?) async throws(StoreError) -> ReplayNote {
        try await deadLetters.note(claim, entry)
    }

    func endReplay(_ claim: ReplayClaim, _ state: ReplayRun.State?, reason: String?) async throws(StoreError) {
        try await deadLetters.endReplay(claim, state, reason: reason)
    }

    func stopReplay(_ id: ReplayID, by actor: String) async throws(StoreError) -> ReplayRun? {
        try await deadLetters.stopReplay(id, by: actor)
    }

    func withdrawReplay(_ id: ReplayID, reason: String) async throws(StoreError) -> Bool {
        try await deadLetters.withdrawReplay(id, reason: reason)
    }
}

@Suite("The slot of a message")
struct MessageSlotTests {
    @Test("is the hour in front of the hash of its id: what is written within an hour is together")
    func halves() {
        let time = Timestamp(microseconds: 1_796_000_000_000_000)
        let hour: Int64 = 3_600_000_000
        let slots = ["a", "b", "c"].map { MessageSlot(of: $0, at: time).value }
        #expect(slots.allSatisfy { $0 >> 32 == time.microseconds / hour })
        #expect(slots.map { $0 & 0xffff_ffff } == ["a", "b", "c"].map { MessageSlot.hash($0) })
        #expect(Set(slots).count == 3)
        let later = MessageSlot(of: "a", at: time.advanced(by: .seconds(3_600))).value
        #expect(later >> 32 == slots[0] >> 32 + 1)
        #expect(slots.allSatisfy { $0 < later })
    }
}
