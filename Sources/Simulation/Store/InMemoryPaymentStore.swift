package import Core
import Synchronization

/// Payments and operations in memory: the same decisions and the same constraints as the real store, on a clock of its own.
package final class InMemoryPaymentStore: PaymentStore, BankStatusStore {
    private struct State {
        var tables = StoreTables()
        var faults: [StoreFault.Call: [StoreFault]] = [:]
        /// Nothing works while it is set.
        var isDown = false
        /// As it was before each of the last commits, oldest first, where it is to forget some.
        var past: [StoreTables] = []
        var forgotten = ForgottenRows()
    }

    private let state = Mutex(State())
    let clock: any TimeSource
    private let fingerprinter: Fingerprinter
    private let latency: Duration
    private let checksFencingToken: Bool
    private let remembersPast: Bool

    /// - Parameters:
    ///   - clock: the database's, which alone decides about leases and deadlines (docs/correctness.md#whose-clock).
    ///   - fingerprinter: as the processors have it.
    ///   - latency: how long a call takes, on that clock; half of it before the commit, half after.
    ///   - checksFencingToken: false only to show that a test notices.
    ///   - remembersPast: whether it can be made to lose its last commits.
    package init(
        clock: any TimeSource,
        fingerprinter: Fingerprinter,
        latency: Duration = .zero,
        checksFencingToken: Bool = true,
        remembersPast: Bool = false
    ) {
        self.clock = clock
        self.fingerprinter = fingerprinter
        self.latency = latency
        self.checksFencingToken = checksFencingToken
        self.remembersPast = remembersPast
    }

    // MARK: Faults

    /// Lets the next calls of that kind go wrong, one after the other.
    package func inject(_ faults: StoreFault..., into call: StoreFault.Call) {
        state.withLock { $0.faults[call, default: []].append(contentsOf: faults) }
    }

    /// While it is down nothing works and nothing happens.
    package func setDown(_ isDown: Bool) {
        state.withLock { $0.isDown = isDown }
    }

    /// Loses its last commits, as a standby does that is promoted while it lags.
    ///
    /// - Parameter commits: how many, as far as they are remembered.
    /// - Returns: how many rows it has lost.
    package func forget(commits: Int) -> Int {
        state.withLock { state in
            let index = max(state.past.count - commits, 0)
            guard index < state.past.count else { return 0 }
            let lost = state.tables
            state.tables = state.past[index]
            state.past.removeSubrange(index...)
            return state.forgotten.note(lost, after: state.tables)
        }
    }

    /// Everything that it has ever lost.
    package var forgotten: ForgottenRows { state.withLock { $0.forgotten } }

    /// The commands that wait on a payment.
    package func waiting(on payment: PaymentID) -> [WaitingCommand] {
        state.withLock { $0.tables.waiting.line(of: payment) }
    }

    /// The commands that wait, by their payment.
    var places: [PaymentID: [WaitingCommand]] { state.withLock { $0.tables.waiting.all } }

    var rowsOfMembers: [Member] { state.withLock { Array($0.tables.members.values) } }

    /// Whether there is an operation under a command's key.
    package func knows(_ command: Command) -> Bool {
        state.withLock { $0.tables.operation(command.merchantID, command.idempotencyKey) != nil }
    }

    /// As many commits can be lost at once.
    private static let longestPast = 48

    /// The operations whose final reply could not be routed.
    package var undeliverable: Set<OperationID> { state.withLock { $0.tables.undeliverable } }

    /// All of them, in no order.
    package var operations: [Operation] { state.withLock { Array($0.tables.operations.values) } }

    /// All rows, in an order that is the same for the same rows.
    package var rows: StoreRows {
        state.withLock { state in
            StoreRows(
                views: state.tables.payments.values.sorted { $0.id < $1.id }.map { state.tables.view($0) },
                rejected: state.tables.operations.values.filter { state.tables.payments[$0.paymentID] == nil }
                    .sorted { $0.id.value < $1.id.value },
                undeliverable: state.tables.undeliverable,
                deadLetters: state.tables.deadLetters.sorted(at: clock.now()) { _ in true },
                outbox: state.tables.outbox.rows.map {
                    StoreRows.Relayed(content: $0.content, isSent: $0.sentAt != nil)
                },
                runs: state.tables.sweeps.runs
            )
        }
    }

    /// What the sweeps and the relay have to finish: without authorizes, which wait for their cards, and with them.
    package var unfinished: (now: Int, everything: Int) {
        state.withLock { state in
            let open = state.tables.operations.values.filter(\.isOpen)
            let unnotified = state.tables.operations.values.count { !$0.isOpen && !$0.isNotified }
            let others = unnotified + state.tables.outbox.unsent.count
            return (open.count { $0.kind != .authorize } + others, open.count + others)
        }
    }

    // MARK: PaymentStore

    package func claim(_ request: ClaimRequest) async throws(StoreError) -> ClaimOutcome {
        let (clock, fingerprinter) = (clock, fingerprinter)
        return try await transaction(.claim) { tables throws(StoreError) in
            let now = clock.now()
            let decision = ClaimDecision(
                request,
                existing: tables.operation(request.command.merchantID, request.command.idempotencyKey),
                payment: tables.payments[request.command.paymentID],
                waiting: tables.waiting.line(of: request.command.paymentID).filter {
                    tables.operation($0.merchantID, $0.idempotencyKey) == nil
                },
                now: now,
                fingerprinter: fingerprinter
            )
            if let write = decision.write {
                let changes = StoreTables.Changes(
                    operation: write.operation,
                    isNewOperation: write.isNewOperation,
                    messageID: request.command.messageID,
                    payment: write.payment,
                    isNewPayment: write.isNewPayment,
                    transition: write.transition
                )
                try tables.apply(changes, at: now)
            }
            tables.waiting.apply(decision.registration, request.command, at: now)
            return decision.outcome
        }
    }

    package func complete(_ result: OperationResult) async throws(StoreError) -> CompletionOutcome {
        let (clock, checksFencingToken) = (clock, checksFencingToken)
        return try await transaction(.complete) { tables throws(StoreError) in
            let now = clock.now()
            guard let stored = tables.operations[result.operation.id] else {
                return tables.refuse(result, at: now)
            }
            let isHolder = !checksFencingToken || stored.fencingToken == result.operation.fencingToken
            let isSame = stored.state == result.operation.state && stored.reply == result.operation.reply
            if isHolder, isSame, !stored.isOpen {
                // The same completion again, whose first answer was lost (docs/correctness.md#unknown-commit).
                return .completed
            }
            // One that rests is its last holder's still, for a late answer, until somebody else takes it.
            guard isHolder, stored.isOpen else {
                return tables.refuse(result, at: now)
            }
            var operation = result.operation
            if !checksFencingToken { operation.fencingToken = stored.fencingToken }
            if operation.state == .unknown { operation.leaseUntil = now.advanced(by: result.rest) }
            let changes = StoreTables.Changes(
                operation: operation,
                payment: result.payment,
                transition: result.transition,
                note: result.note,
                orphan: result.orphan,
                outbox: result.outbox,
                attempts: result.attempts
            )
            try tables.apply(changes, at: now)
            return .completed
        }
    }

    package func register(_ command: Command) async throws(StoreError) {
        let clock = clock
        try await transaction(.claim) { tables throws(StoreError) in
            guard tables.operation(command.merchantID, command.idempotencyKey) == nil else { return }
            tables.waiting.add(command, at: clock.now())
        }
    }

    package func checkAvailability() async throws(StoreError) {
        try await transaction(.sweep) { _ throws(StoreError) in }
    }

    package func line(before command: Command) async throws(StoreError) -> LineMark? {
        try await read { tables in tables.waiting.line(before: command) }
    }

    package func withdraw(_ command: Command, behind line: LineMark?) async throws(StoreError) {
        try await transaction(.claim) { tables throws(StoreError) in
            tables.waiting.withdraw(command, behind: line)
        }
    }

    package func awaitReply(to command: Command) async throws(StoreError) {
        try await transaction(.claim) { tables throws(StoreError) in tables.awaited.add(AwaitedTable.Row(command)) }
    }

    package func noteError(answering request: RequestOrigin) async throws(StoreError) {
        try await transaction(.recordNotified) { tables throws(StoreError) in tables.noteError(answering: request) }
    }

    package func recordNotified(
        _ operation: Operation,
        isUndeliverable: Bool,
        relaying events: [PaymentEvent]
    ) async throws(StoreError) {
        let clock = clock
        try await transaction(.recordNotified) { tables throws(StoreError) in
            guard tables.markNotified(operation, isUndeliverable: isUndeliverable) else { return }
            tables.outbox.append(events.map { OutboxMessage($0, of: operation.paymentID) }, at: clock.now())
        }
    }

    // MARK: BankStatusStore

    package func bankStatus() async throws(StoreError) -> BankStatus? {
        let now = clock.now()
        return try await read { tables in
            tables.bankStatus.map {
                BankStatus(isUnavailable: $0.isUnavailable, cause: $0.cause, age: $0.at.duration(to: now))
            }
        }
    }

    package func recordBankStatus(isUnavailable: Bool, cause: String?) async throws(StoreError) {
        let now = clock.now()
        try await transaction(.sweep) { tables throws(StoreError) in
            tables.bankStatus = (isUnavailable, cause, now)
        }
    }

    // MARK: Transactions

    /// Whole or not at all, like the real thing: a body writes by one `apply` at most, which checks before it writes.
    func transaction<Value: Sendable>(
        _ call: StoreFault.Call,
        _ body: (inout StoreTables) throws(StoreError) -> Value
    ) async throws(StoreError) -> Value {
        try await pause()
        let result: Result<Value, StoreError> = state.withLock { state in
            if state.isDown { return .failure(StoreFault.unavailable.error) }
            let fault = state.faults[call]?.isEmpty == false ? state.faults[call]?.removeFirst() : nil
            if let fault, !fault.happens { return .failure(fault.error) }
            if remembersPast {
                if state.past.count == Self.longestPast { state.past.removeFirst() }
                state.past.append(state.tables)
            }
            do throws(StoreError) {
                let value = try body(&state.tables)
                return fault.map { .failure($0.error) } ?? .success(value)
            } catch {
                return .failure(error)
            }
        }
        try await pause()
        return try result.get()
    }

    func read<Value: Sendable>(_ body: (StoreTables) -> Value) async throws(StoreError) -> Value {
        try await pause()
        let value = state.withLock { $0.isDown ? nil : body($0.tables) }
        guard let value else { throw StoreFault.unavailable.error }
        return value
    }

    private func pause() async throws(StoreError) {
        guard latency > .zero else { return }
        do throws(CancellationError) {
            try await clock.sleep(for: latency / 2)
        } catch {
            throw StoreError(.unavailable, detail: "cancelled", outcomeUnknown: true)
        }
    }
}
