/// Ends an operation in `NEEDS_ATTENTION` by an operator's decision (docs/operations.md#manual-review): looks, asks the
/// bank, and, when the operator has agreed, takes the operation, writes its end with what there is to report, and
/// closes its dead letters.
package struct OperationResolver: Sendable {
    package typealias DeadLetters = DeadLetterQueries & DeadLetterActions

    private let store: any ResolutionStore
    private let queries: any PaymentQueries
    private let deadLetters: any DeadLetters
    private let witness: BankWitness
    private let signal: WakeUpSignal
    private let time: any TimeSource
    private let random: any RandomSource
    private let observer: any ProcessorObserver
    private let limits: HandlerLimits
    private let policy: RetryPolicy

    /// `signal` is raised when there is something in the outbox.
    package init(
        store: any ResolutionStore,
        queries: any PaymentQueries,
        deadLetters: any DeadLetters,
        bank: any Bank & BankQueries,
        signal: WakeUpSignal,
        time: any TimeSource,
        random: any RandomSource,
        observer: any ProcessorObserver,
        limits: HandlerLimits,
        policy: RetryPolicy = RetryPolicy()
    ) {
        self.store = store
        self.queries = queries
        self.deadLetters = deadLetters
        let questions = PatientBankQueries(bank: bank, time: time, timeout: limits.bankTimeout)
        witness = BankWitness(bank: bank, questions: questions)
        self.signal = signal
        self.time = time
        self.random = random
        self.observer = observer
        self.limits = limits
        self.policy = policy
    }

    // MARK: Checking

    /// What would be done. Changes nothing, here or at the bank.
    package func plan(_ order: ResolutionOrder) async throws(ResolutionRefusal) -> ResolutionPlan {
        let view = try await stored { () async throws(StoreError) in try await queries.payment(order.paymentID) }
        guard let view else { throw .noPayment(order.paymentID) }
        let operation = try order.choice(from: view)
        let payment = view.payment
        let key = try await owned(witness.testimony(underKeyOf: operation, of: payment))
        let resolution: Resolution
        switch try Resolution.after(key, order, operation) {
        case .complete(let completed): resolution = completed
        case .ask(let query):
            let id = order.bankID ?? ""
            let testimony = try await witness.testimony(on: query, id: id, about: operation.kind, of: payment)
            resolution = try Resolution.after(testimony, to: id, key, order, operation)
        }
        if let id = resolution.bankID, let owner = try await owner(of: id) { throw .bankIDTaken(id, by: owner) }
        return ResolutionPlan(operation: operation, payment: payment, resolution: resolution)
    }

    /// What the bank replays may be the effect of another payment: then it is not this operation's.
    private func owned(_ key: KeyTestimony) async throws(ResolutionRefusal) -> KeyTestimony {
        guard case .executed(let effect, _) = key, try await owner(of: effect.bankID) != nil else { return key }
        return .other(reason: KeyTestimony.otherPayment)
    }

    private func owner(of bankID: String) async throws(ResolutionRefusal) -> PaymentID? {
        try await stored { () async throws(StoreError) in try await store.owner(ofBankID: bankID) }
    }

    // MARK: Doing

    /// Does it. A crash in between leaves an operation that the sweep goes on with after its lease, or one that has
    /// ended and is reported by way of the outbox.
    package func carryOut(_ plan: ResolutionPlan) async throws(ResolutionRefusal) -> ResolutionReport {
        let token = ClaimToken(random.identifier(at: time.now()))
        let taken = try await stored { () async throws(StoreError) in
            try await patiently { () async throws(StoreError) in
                try await store.takeForResolution(plan.operation, by: token, lease: limits.lease)
            }
        }
        guard let claim = taken else { throw .changed }
        let result = OperationResult.resolved(claim, plan.resolution, now: time.now()).notifiedByOutbox(claim)
        let outcome: CompletionOutcome
        do throws(StoreError) {
            outcome = try await complete(result)
        } catch {
            throw await undone(error, claim, plan.resolution)
        }
        guard outcome == .completed else { throw .changed }
        signal.raise()
        if let orphan = result.orphan {
            observer.observe(.possibleOrphan(CommandIdentity(result.operation), orphan))
        }
        let (closed, problems) = await closeDeadLetters(of: result.operation, plan.resolution.order)
        return ResolutionReport(plan: plan, closedDeadLetters: closed, problems: problems)
    }

    private func complete(_ result: OperationResult) async throws(StoreError) -> CompletionOutcome {
        try await patiently { () async throws(StoreError) in try await store.complete(result) }
    }

    /// What the store will never take is under manual review again, as it was. Where the store is away, the sweep goes
    /// on after the lease.
    private func undone(_ error: StoreError, _ claim: Claim, _ resolution: Resolution) async -> ResolutionRefusal {
        guard !error.isRetriable else { return .storeFailed(error) }
        // Where this fails too, the lease runs out, and the sweep goes on with it.
        _ = try? await complete(.givenBack(claim))
        guard error.code == .bankIDTaken, let id = resolution.bankID else { return .storeFailed(error) }
        return .bankIDTaken(id, by: try? await owner(of: id))
    }

    /// Discards what is open of it.
    private func closeDeadLetters(
        of operation: Operation,
        _ order: ResolutionOrder
    ) async -> (closed: Int, problems: [String]) {
        var filter = DeadLetterFilter()
        filter.paymentID = operation.paymentID
        filter.merchantID = operation.merchantID
        filter.kind = operation.kind
        filter.states = [.open]
        var closed = 0
        var problems: [String] = []
        do throws(StoreError) {
            let own = try await deadLetters.deadLetters(filter, limit: Self.mostDeadLetters)
                .filter { $0.command.idempotencyKey == operation.idempotencyKey }
            for deadLetter in own {
                let outcome = try await deadLetters.discard(deadLetter.id, by: order.actor, reason: order.summary)
                if let problem = outcome.explanation {
                    if !outcome.isHarmless { problems.append("dead letter \(deadLetter.id): \(problem)") }
                } else {
                    closed += 1
                }
            }
        } catch {
            problems.append("its dead letters are not all discarded: \(error)")
        }
        return (closed, problems)
    }

    /// An operation has one for each time that it needed manual review: few.
    private static let mostDeadLetters = 1_000

    private var patiently: StorePatience {
        StorePatience(time: time, random: random, observer: observer, policy: policy)
    }

    private func stored<Value>(
        _ work: () async throws(StoreError) -> Value
    ) async throws(ResolutionRefusal) -> Value {
        do throws(StoreError) {
            return try await work()
        } catch {
            throw .storeFailed(error)
        }
    }
}

/// Asks the bank about an operation that an operator wants to end. Executes nothing.
struct BankWitness: Sendable {
    let bank: any Bank
    let questions: PatientBankQueries

    /// What the bank has stored under the operation's key.
    ///
    /// - Throws: where nothing is learnt. "Unknown" is an answer only of a bank that is well: its key store may be down
    ///   (docs/correctness.md#codes-that-lie).
    func testimony(
        underKeyOf operation: Operation,
        of payment: Payment
    ) async throws(ResolutionRefusal) -> KeyTestimony {
        let request = BankRequest(
            action: .inquiry(about: operation.kind, of: payment),
            idempotencyKey: operation.bankKey,
            traceparent: operation.route.traceparent,
            timeout: questions.timeout
        )
        var answer = await bank.send(request)
        for attempt in 1..<PatientBankQueries.tries where answer.isCompleteTrouble {
            guard (try? await questions.time.sleep(for: PatientBankQueries.pause * attempt)) != nil else { break }
            answer = await bank.send(request)
        }
        guard let testimony = KeyTestimony(answer, about: operation, of: payment) else {
            throw .bankUnavailable(answer.cause)
        }
        if testimony == .unknown, await !questions.isWell() { throw .bankUnavailable("unhealthy") }
        return testimony
    }

    /// What the bank has under an id of its own.
    func testimony(
        on query: BankQuery,
        id: String,
        about kind: OperationKind,
        of payment: Payment
    ) async throws(ResolutionRefusal) -> IDTestimony {
        let (answers, isMissingProof) = await questions.answers(to: [query])
        let answer = answers.first ?? .notSent(reason: "not_asked")
        let testimony = IDTestimony(answer, to: id, about: kind, of: payment, isMissingProof: isMissingProof)
        guard let testimony else { throw .bankUnavailable(answer.cause) }
        return testimony
    }
}

extension BankAnswer {
    /// An answer that says nothing, but came at once: the bank may be asked again. One that did not come is waited for only once.
    fileprivate var isCompleteTrouble: Bool {
        guard case .response = self else { return false }
        return isTrouble || isInternalError
    }

    private var isInternalError: Bool {
        guard case .response(let response) = self, case .json(let body) = response.body else { return false }
        return body["error"]?.string == BankCode.internalError.rawValue
    }
}
