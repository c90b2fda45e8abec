import Core

/// The rows, and the rules that the schema's constraints hold.
struct StoreTables {
    /// The rows of one transaction: all of them are written, or none.
    struct Changes {
        let operation: Operation
        var isNewOperation = false
        /// Of the message that has begun a new operation.
        var messageID: String?
        let payment: Payment?
        var isNewPayment = false
        let transition: Transition?
        var note: String?
        var orphan: PossibleOrphan?
        var outbox: [OutboxMessage] = []
        var attempts: [UnfinishedAttempt] = []
    }

    struct HistoryRow {
        let entry: HistoryEntry
        /// `nil` for a note.
        let version: Int64?
    }

    /// An authorization that a superseded attempt brought before its payment had one.
    private struct UnmatchedAuthorization: Hashable {
        let paymentID: PaymentID
        let id: String
        let operationID: OperationID
    }

    /// A merchant's key, compared byte by byte, as a database does.
    private struct KeyID: Hashable {
        let merchant: [UInt8]
        let key: [UInt8]

        init(_ merchant: MerchantID, _ key: IdempotencyKey) {
            self.merchant = Array(merchant.description.utf8)
            self.key = Array(key.description.utf8)
        }
    }

    private(set) var payments: [PaymentID: Payment] = [:]
    private(set) var operations: [OperationID: Operation] = [:]
    private(set) var messages: [OperationID: String] = [:]
    private(set) var history: [PaymentID: [HistoryRow]] = [:]
    private(set) var undeliverable: Set<OperationID> = []
    var deadLetters = DeadLetterTables()
    var replays = ReplayTable()
    var sweeps = SweepTables()
    var outbox = OutboxTable()
    var waiting = WaitingTable()
    var awaited = AwaitedTable()
    var members: [String: Member] = [:]
    var bankStatus: (isUnavailable: Bool, cause: String?, at: Timestamp)?
    /// What an authorize may have left at the bank, by payment, and since when that is known.
    private(set) var orphans: [PaymentID: (grade: PossibleOrphan, at: Timestamp)] = [:]
    private var attempts = AttemptTable()
    private var unmatched: [UnmatchedAuthorization] = []
    private var operationByKey: [KeyID: OperationID] = [:]
    private var operationsByPayment: [PaymentID: [OperationID]] = [:]
    private var ownerOfBankID: [String: PaymentID] = [:]

    func operation(_ merchant: MerchantID, _ key: IdempotencyKey) -> Operation? {
        operationByKey[KeyID(merchant, key)].flatMap { operations[$0] }
    }

    func operations(of payment: PaymentID) -> [Operation] {
        (operationsByPayment[payment] ?? []).compactMap { operations[$0] }
    }

    func view(_ payment: Payment) -> PaymentView {
        PaymentView(
            payment: payment,
            history: (history[payment.id] ?? []).map(\.entry),
            operations: operations(of: payment.id),
            orphan: orphans[payment.id]?.grade,
            attempts: attempts.records(of: operations(of: payment.id)),
            replays: deadLetters.replays(of: payment.id)
        )
    }

    /// The payment that has an id of the bank.
    func owner(ofBankID id: String) -> PaymentID? { ownerOfBankID[id] }

    mutating func apply(_ changes: Changes, at now: Timestamp) throws(StoreError) {
        try check(changes.operation, isNew: changes.isNewOperation)
        if let payment = changes.payment { try check(payment, isNew: changes.isNewPayment) }
        if let transition = changes.transition { try check(transition) }

        let operation = changes.operation
        if changes.isNewOperation {
            operationByKey[KeyID(operation.merchantID, operation.idempotencyKey)] = operation.id
            operationsByPayment[operation.paymentID, default: []].append(operation.id)
            messages[operation.id] = changes.messageID
        }
        operations[operation.id] = operation
        attempts.add(changes.attempts, to: operation, at: now)
        if let payment = changes.payment {
            for id in payment.bank.all { ownerOfBankID[id] = payment.id }
            payments[payment.id] = payment
        }
        if let transition = changes.transition { append(transition, at: now) }
        if let note = changes.note, let payment = payments[operation.paymentID] {
            self.note(note, by: operation.kind, on: payment, at: now)
        }
        if let orphan = changes.orphan, orphans[operation.paymentID] == nil {
            orphans[operation.paymentID] = (orphan, now)
        }
        sweeps.note(operation, changes.payment)
        outbox.append(changes.outbox, at: now)
        if changes.outbox.contains(where: { $0.operationID == changes.operation.id }) {
            awaited.remove(AwaitedTable.Row(changes.operation))
        }
    }

    /// Writes an expiry: no operation has a part in it.
    mutating func apply(_ expiry: Expiry, at now: Timestamp) throws(StoreError) {
        try check(expiry.payment, isNew: false)
        try check(expiry.transition)
        payments[expiry.payment.id] = expiry.payment
        append(expiry.transition, at: now)
        outbox.append([expiry.event], at: now)
    }

    /// Writes into the history what changed nothing.
    mutating func note(_ cause: String, by operation: OperationKind, on payment: Payment, at now: Timestamp) {
        let entry = HistoryEntry(at: now, cause: cause, from: payment.status, to: payment.status, operation: operation)
        history[payment.id, default: []].append(HistoryRow(entry: entry, version: nil))
    }

    /// What an attempt learnt that holds the operation no longer.
    mutating func refuse(_ result: OperationResult, at now: Timestamp) -> CompletionOutcome {
        guard let payment = payments[result.operation.paymentID] else { return .superseded }
        let (cause, match) = result.refused(by: payment)
        attempts.add(result.attempts, by: result.operation, at: now)
        note(cause, by: result.operation.kind, on: payment, at: now)
        if match == .stray { suspect(payment.id, at: now) }
        if match == .undecided, let hold = result.hold {
            let row = UnmatchedAuthorization(paymentID: payment.id, id: hold, operationID: result.operation.id)
            if !unmatched.contains(row) { unmatched.append(row) }
        }
        return match == .stray ? .stray : .superseded
    }

    private mutating func suspect(_ payment: PaymentID, at now: Timestamp) {
        orphans[payment] = (.suspected, orphans[payment]?.at ?? now)
    }

    /// - Returns: the operations of the second holds.
    mutating func compareLateAuthorizations(limit: Int, at now: Timestamp) -> [Operation] {
        var (left, strays): ([UnmatchedAuthorization], [Operation]) = ([], [])
        var compared = 0
        for row in unmatched {
            guard compared < limit, let payment = payments[row.paymentID],
                case let match = LateAuthorization(row.id, of: payment), match != .undecided
            else {
                left.append(row)
                continue
            }
            compared += 1
            guard match == .stray else { continue }
            suspect(payment.id, at: now)
            note(LateAuthorization.strayCause(row.id), by: .authorize, on: payment, at: now)
            if let operation = operations[row.operationID] { strays.append(operation) }
        }
        unmatched = left
        return strays
    }

    mutating func noteError(answering request: RequestOrigin) {
        guard let stored = operations[request.operationID], stored.fencingToken == request.fencingToken,
            stored.state == .sent
        else {
            return
        }
        operations[stored.id]?.failedFencingToken = request.fencingToken
    }

    mutating func markUndeliverable(_ operation: OperationID) {
        undeliverable.insert(operation)
    }

    /// - Returns: whether it is reported by this.
    @discardableResult
    mutating func markNotified(_ operation: Operation, isUndeliverable: Bool) -> Bool {
        guard let stored = operations[operation.id], stored.fencingToken == operation.fencingToken,
            stored.state == operation.state
        else { return false }
        operations[operation.id]?.isNotified = true
        operations[operation.id]?.areEventsDue = false
        if isUndeliverable { markUndeliverable(operation.id) }
        return !stored.isNotified
    }

    private mutating func append(_ transition: Transition, at now: Timestamp) {
        let entry = HistoryEntry(
            at: now,
            cause: transition.cause,
            from: transition.from,
            to: transition.to,
            operation: transition.operation
        )
        history[transition.paymentID, default: []].append(HistoryRow(entry: entry, version: transition.version))
    }

    // MARK: Constraints

    private func check(_ operation: Operation, isNew: Bool) throws(StoreError) {
        let before = operations[operation.id]
        if isNew {
            let holder = operationByKey[KeyID(operation.merchantID, operation.idempotencyKey)]
            guard holder == nil, before == nil else { throw Self.notUnique }
        } else {
            // What is final stays as it is (docs/correctness.md#same-key-same-reply).
            guard let before, !before.state.isFinal, before.fencingToken <= operation.fencingToken else {
                throw Self.checkFailed
            }
        }
        guard operation.state.isFinal == (operation.reply != nil), operation.fencingToken > 0,
            operation.bankKey.utf8.count <= 64
        else { throw Self.checkFailed }
    }

    private func check(_ payment: Payment, isNew: Bool) throws(StoreError) {
        let before = payments[payment.id]
        if isNew {
            guard before == nil else { throw Self.notUnique }
        } else {
            guard let before, before.version + 1 == payment.version, before.amount == payment.amount else {
                throw Self.checkFailed
            }
        }
        guard payment.status.isInProgress == (payment.activeOperation != nil) else { throw Self.checkFailed }
        guard payment.bank.all.allSatisfy({ ownerOfBankID[$0] ?? payment.id == payment.id }) else {
            throw StoreError(.bankIDTaken, detail: "23505")
        }
    }

    private func check(_ transition: Transition) throws(StoreError) {
        let isLegal = transition.from.map { $0.mayBecome(transition.to) } ?? (transition.to == .pending)
        let last = history[transition.paymentID]?.last { $0.version != nil }?.version ?? 0
        guard isLegal, transition.version == last + 1 else { throw Self.checkFailed }
    }

    private static let notUnique = StoreError(.refused, detail: "23505")
    private static let checkFailed = StoreError(.refused, detail: "23514")
}

extension BankReferences {
    fileprivate var all: [String] { [authorizationID, captureID, voidID, refundID].compactMap(\.self) }
}

/// The requests to the bank that did not complete their operations, and when operations were completed.
struct AttemptTable {
    private struct Row {
        let attempt: UnfinishedAttempt
        let at: Timestamp
        let fencingToken: Int64
    }

    private var rows: [OperationID: [Row]] = [:]
    private var completed: [OperationID: Timestamp] = [:]

    /// With what becomes of the operation.
    mutating func add(_ attempts: [UnfinishedAttempt], to operation: Operation, at now: Timestamp) {
        add(attempts, by: operation, at: now)
        if operation.reply != nil, completed[operation.id] == nil { completed[operation.id] = now }
    }

    /// Those of a fencing token are written once.
    mutating func add(_ attempts: [UnfinishedAttempt], by operation: Operation, at now: Timestamp) {
        guard !attempts.isEmpty,
            rows[operation.id]?.contains(where: { $0.fencingToken == operation.fencingToken }) != true
        else {
            return
        }
        rows[operation.id, default: []] += attempts.map { attempt in
            Row(attempt: attempt, at: now.advanced(by: .zero - attempt.age), fencingToken: operation.fencingToken)
        }
    }

    /// Oldest first.
    func records(of operations: [Operation]) -> [BankAttemptRecord] {
        operations.flatMap { operation in
            let unfinished = (rows[operation.id] ?? []).map { row in
                BankAttemptRecord(
                    at: row.at,
                    operation: operation.kind,
                    idempotencyKey: operation.idempotencyKey,
                    verdict: row.attempt.verdict,
                    status: row.attempt.status,
                    code: row.attempt.code,
                    tier: row.attempt.tier
                )
            }
            let completing = completed[operation.id].flatMap { BankAttemptRecord(completing: operation, at: $0) }
            return unfinished + (completing.map { [$0] } ?? [])
        }
        .sorted { $0.at < $1.at }
    }
}
