import Core
import Simulation
import Testing

/// What the bank did for an operation that needs manual review.
enum BankSide: String, Sendable, CaseIterable {
    case nothing, executed
    /// Executed, and the key is lost.
    case forgotten
}

extension World {
    func resolver(
        store: (any ResolutionStore)? = nil,
        bank: (any Bank & BankQueries)? = nil
    ) -> OperationResolver {
        OperationResolver(
            store: store ?? self.store,
            queries: self.store,
            deadLetters: self.store,
            bank: bank ?? self.bank,
            signal: WakeUpSignal(),
            time: time,
            random: random,
            observer: observer,
            limits: limits
        )
    }

    static func order(
        _ kind: OperationKind,
        _ end: ResolutionOrder.End,
        bankID: String? = nil,
        reason: String = "ticket 4711"
    ) throws -> ResolutionOrder {
        try ResolutionOrder(
            paymentID: try #require(PaymentID(World.payment)),
            operation: kind.rawValue,
            end: end,
            bankID: bankID,
            reason: reason,
            actor: "ada"
        )
    }

    /// An operation of that kind, under the key "k", that needs manual review: its dead letter is kept, its client has
    /// heard of it.
    ///
    /// - Returns: what the bank did for it, if anything.
    @discardableResult
    func needsReview(
        _ kind: OperationKind,
        _ side: BankSide,
        sends: EarlierSends = EarlierSends(unanswered: 1)
    ) async throws -> String? {
        if kind != .authorize { try await ask(.authorize, key: "a") }
        if kind == .refund { try await ask(.capture, key: "c") }
        let before = bank.ledger.count
        let claim = try await leftClaim(kind, side)
        let given = OperationResult.needsAttention(claim, reason: "bank_key_too_old", sends: sends).notifiedByOutbox(
            claim
        )
        #expect(try await store.complete(given) == .completed)
        try await relay().relayAll()
        try await ingest()
        #expect(try await deadLetters([.open]).count == 1)
        #expect(replies("k").map(\.outcome) == ["unknown"])
        return bank.ledger.dropFirst(before).last?.id
    }

    private func leftClaim(_ kind: OperationKind, _ side: BankSide) async throws -> Claim {
        let message = CommandMessage.valid(kind, payment: World.payment, key: "k")
        guard case .command(let command) = CommandDecoder().decode(message) else { throw Unexpected() }
        let request = ClaimRequest(
            command: command,
            operationID: OperationID(random.identifier(at: time.now())),
            token: ClaimToken(random.identifier(at: time.now())),
            lease: limits.lease
        )
        guard case .claimed(let claim) = try await store.claim(request),
            let action = BankAction(command.parameters, for: claim.payment)
        else { throw Unexpected() }
        if side == .nothing { return claim }
        if side == .forgotten { bank.inject(.loseKey, into: kind) }
        _ = await bank.send(
            BankRequest(
                action: action,
                idempotencyKey: claim.operation.bankKey,
                traceparent: nil,
                timeout: limits.bankTimeout
            )
        )
        return claim
    }

    private struct Unexpected: Error {}

    /// The operation under the key "k".
    func operation() async throws -> Core.Operation {
        try #require(try await view().operations.first { $0.idempotencyKey.description == "k" })
    }

    /// What a plan is refused with.
    func refusal(
        _ order: ResolutionOrder,
        _ resolver: OperationResolver? = nil,
        sourceLocation: SourceLocation = #_sourceLocation
    ) async -> ResolutionRefusal? {
        do throws(ResolutionRefusal) {
            let plan = try await (resolver ?? self.resolver()).plan(order)
            Issue.record("not refused: \(plan.testimony)", sourceLocation: sourceLocation)
            return nil
        } catch {
            return error
        }
    }
}
