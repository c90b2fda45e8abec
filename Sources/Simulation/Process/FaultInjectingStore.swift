import Core

/// The store, seen from a process that may die, over a connection that may break: what was sent may be committed although
/// nobody hears of it.
struct FaultInjectingStore: PaymentStore {
    let injector: FaultInjector
    let store: InMemoryPaymentStore
    let witness: SweepWitness
    let order: OrderWitness
    let time: VirtualTime
    let random: SeededRandom
    let trace: Trace
    let process: Int

    func claim(_ request: ClaimRequest) async throws(StoreError) -> ClaimOutcome {
        let command = request.command
        let payment = command.paymentID.description
        return try await call("claim", payment) { () async throws(StoreError) in
            let outcome = try await store.claim(request)
            if outcome.isDecision { order.noteDecision(about: command) }
            if case .rejected(let code, _) = outcome {
                if code == .paymentNotFound { order.noteMissingPayment(of: command) }
                order.noteRejection(of: command)
            }
            trace.note(.claimed, outcome.code, payment: payment) {
                "process \(process) claims \(command.kind) \(command.idempotencyKey): \(outcome.summary)"
            }
            return outcome
        }
    }

    func complete(_ result: OperationResult) async throws(StoreError) -> CompletionOutcome {
        let operation = result.operation
        let payment = operation.paymentID.description
        return try await call("complete", payment) { () async throws(StoreError) in
            let outcome = try await store.complete(result)
            if outcome == .completed, operation.kind == .capture, let payment = result.payment,
                payment.status == .expired
            {
                witness.noteExpiry(of: payment.id, payment.bank.authorizationID, grace: .zero)
            }
            trace.note(.completed, UInt64(operation.fencingToken), payment: payment) {
                "process \(process) completes \(operation.kind) \(operation.idempotencyKey) "
                    + "as \(operation.state.rawValue) with fencing token \(operation.fencingToken): \(outcome)"
            }
            return outcome
        }
    }

    func register(_ command: Command) async throws(StoreError) {
        try await call("register", command.paymentID.description) { () async throws(StoreError) in
            try await store.register(command)
            trace.note(.recorded, 2, payment: command.paymentID.description) {
                "process \(process) gives \(command.kind) \(command.idempotencyKey) its place"
            }
        }
    }

    func checkAvailability() async throws(StoreError) {
        try await call("availability", nil) { () async throws(StoreError) in try await store.checkAvailability() }
    }

    func line(before command: Command) async throws(StoreError) -> LineMark? {
        try await call("line", command.paymentID.description) { () async throws(StoreError) in
            try await store.line(before: command)
        }
    }

    func withdraw(_ command: Command, behind line: LineMark?) async throws(StoreError) {
        try await call("withdraw", command.paymentID.description) { () async throws(StoreError) in
            try await store.withdraw(command, behind: line)
            order.noteWithdrawal(of: command)
        }
    }

    func awaitReply(to command: Command) async throws(StoreError) {
        try await call("await", command.paymentID.description) { () async throws(StoreError) in
            try await store.awaitReply(to: command)
        }
    }

    func noteError(answering request: RequestOrigin) async throws(StoreError) {
        try await call("note", nil) { () async throws(StoreError) in try await store.noteError(answering: request) }
    }

    func recordNotified(
        _ operation: Operation,
        isUndeliverable: Bool,
        relaying events: [PaymentEvent]
    ) async throws(StoreError) {
        let payment = operation.paymentID.description
        try await call("note", payment) { () async throws(StoreError) in
            try await store.recordNotified(operation, isUndeliverable: isUndeliverable, relaying: events)
            trace.note(.recorded, operation.id.value.low, payment: payment) {
                let manner = isUndeliverable ? "told, but its reply is undeliverable" : "told"
                return "process \(process) notes that \(operation.kind) \(operation.idempotencyKey) is \(manner)"
            }
        }
    }

    /// One transaction over the network, with whatever befalls it.
    func call<Value: Sendable>(
        _ name: String,
        _ payment: String?,
        _ work: () async throws(StoreError) -> Value
    ) async throws(StoreError) -> Value {
        await injector.pass()
        if injector.life.isOver { throw Self.gone }
        let fate = injector.schedule.storeFate(random)
        try await wait(fate.before)
        // Its connection breaks with the process: what was not yet committed may or may not be.
        if injector.life.isDead, random.happens(0.5) { await injector.pass() }
        if injector.life.isOver { throw Self.gone }
        let result: Result<Value, StoreError>
        if let fault = fate.fault, !fault.happens {
            result = .failure(fault.error)
        } else {
            do throws(StoreError) {
                let value = try await work()
                result = fate.fault.map { .failure($0.error) } ?? .success(value)
            } catch {
                result = .failure(error)
            }
        }
        try await wait(fate.after)
        await injector.pass()
        if injector.life.isOver { throw Self.gone }
        if case .failure(let error) = result {
            trace.note(.storeFailed, UInt64(process), payment: payment) {
                "process \(process): \(name) fails, \(error)\(error.outcomeUnknown ? ", outcome unknown" : "")"
            }
        }
        return try result.get()
    }

    private func wait(_ duration: Duration) async throws(StoreError) {
        do throws(CancellationError) {
            try await time.sleep(for: duration)
        } catch {
            throw StoreError(.unavailable, detail: "cancelled", outcomeUnknown: true)
        }
    }

    private static let gone = StoreError(.unavailable, detail: "over")
}

extension FaultInjectingStore: BankStatusStore {
    func bankStatus() async throws(StoreError) -> BankStatus? {
        try await call("bank status", nil) { () async throws(StoreError) in try await store.bankStatus() }
    }

    func recordBankStatus(isUnavailable: Bool, cause: String?) async throws(StoreError) {
        try await call("record bank status", nil) { () async throws(StoreError) in
            try await store.recordBankStatus(isUnavailable: isUnavailable, cause: cause)
        }
    }
}

extension FaultInjectingStore: MemberStore {
    func renewMember(
        _ id: String,
        version: String,
        subscribed: Set<Int>,
        timeout: Duration
    ) async throws(StoreError) -> [Member] {
        try await call("sign of life", nil) { () async throws(StoreError) in
            try await store.renewMember(id, version: version, subscribed: subscribed, timeout: timeout)
        }
    }

    func members(timeout: Duration) async throws(StoreError) -> [Member] {
        try await call("members", nil) { () async throws(StoreError) in try await store.members(timeout: timeout) }
    }

    func removeMember(_ id: String) async throws(StoreError) {
        try await call("sign off", nil) { () async throws(StoreError) in try await store.removeMember(id) }
    }
}

extension Trace {
    fileprivate func note(_ event: Event, _ number: UInt64, payment: String?, _ text: () -> String) {
        note(event, number, payment: payment, text())
    }
}

extension ClaimOutcome {
    /// Whether the state of the payment has decided about a command: by an operation, or by its refusal.
    fileprivate var isDecision: Bool {
        switch self {
        case .claimed(let claim): claim.operation.fencingToken == 1
        case .completed(let operation, let isReplay): !isReplay && operation.isRefusedByState
        case .rejected, .waitForKey, .wait, .needsAttention: false
        }
    }

    fileprivate var code: UInt64 {
        switch self {
        case .claimed(let claim): 100 + UInt64(claim.operation.fencingToken)
        case .completed: 1
        case .rejected: 2
        case .waitForKey: 3
        case .wait: 4
        case .needsAttention: 5
        }
    }

    fileprivate var summary: String {
        switch self {
        case .claimed(let claim):
            "claimed with fencing token \(claim.operation.fencingToken), attempt \(claim.operation.attempts), \(claim.operation.bankKey)"
        case .completed(let operation, let isReplay): "\(operation.state.rawValue)\(isReplay ? " already" : "")"
        case .rejected(let code, _): "rejected \(code.rawValue)"
        case .waitForKey(let held): "the key is in progress, free in \(held.freeIn)"
        case .wait(let reason, let payment): "waits, \(reason.rawValue), \(payment?.status.rawValue ?? "no payment")"
        case .needsAttention: "needs attention"
        }
    }
}

extension Operation {
    fileprivate var isRefusedByState: Bool {
        guard let reply, let body = try? JSONParser.parse(reply) else { return false }
        return body["error"]?["code"]?.string == RejectionCode.invalidTransition.rawValue
    }
}
