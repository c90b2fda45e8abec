import Core
import Testing

/// The commands and steps of one check, under a merchant of its own.
struct StoreScene<Subject: StoreUnderTest>: Sendable {
    let subject: Subject
    let merchant = MerchantID(verified: "m-\(UniqueID.random)")

    /// Longer than any check takes.
    static var longLease: Duration { .seconds(600) }
    /// So short that it can be waited out.
    static var shortLease: Duration { .milliseconds(60) }

    var store: Subject.Store { subject.store }

    // MARK: Commands

    static func card(_ number: String = "4111111111111111", cvv: String = "123") throws -> CardDetails {
        try #require(CardDetails(number: number, cvv: cvv, expiryMonth: 12, expiryYear: 2030))
    }

    static func key(_ name: String = "key") throws -> IdempotencyKey {
        try #require(IdempotencyKey("\(name)-\(UniqueID.random)"))
    }

    func authorize(
        _ payment: PaymentID = PaymentID(.random),
        key: IdempotencyKey? = nil,
        order: String = "order-1",
        customer: String = "customer-1",
        amount: Int64 = 5_000,
        card: CardDetails? = nil,
        deadline: Timestamp? = nil,
        route: ReplyRoute = ReplyRoute()
    ) throws -> Command {
        let parameters = AuthorizeParameters(
            orderID: order,
            customerID: customer,
            amount: try #require(Money(minorUnits: amount, currency: .usd)),
            card: try card ?? Self.card()
        )
        return Command(
            paymentID: payment,
            merchantID: merchant,
            idempotencyKey: try key ?? Self.key("authorize"),
            messageID: "message-\(UniqueID.random)",
            parameters: .authorize(parameters),
            deadline: deadline,
            route: route
        )
    }

    func command(
        _ parameters: CommandParameters,
        _ payment: PaymentID,
        key: IdempotencyKey? = nil,
        merchant: MerchantID? = nil,
        deadline: Timestamp? = nil
    ) throws -> Command {
        Command(
            paymentID: payment,
            merchantID: merchant ?? self.merchant,
            idempotencyKey: try key ?? Self.key(),
            messageID: "message-\(UniqueID.random)",
            parameters: parameters,
            deadline: deadline
        )
    }

    // MARK: Claims

    func request(
        _ command: Command,
        lease: Duration = Self.longLease,
        hasWaited: Bool = false,
        executed: Int64? = nil
    ) -> ClaimRequest {
        ClaimRequest(
            command: command,
            operationID: OperationID(.random),
            token: ClaimToken(.random),
            lease: lease,
            hasWaited: hasWaited,
            executed: executed
        )
    }

    func claim(
        _ command: Command,
        lease: Duration = Self.longLease,
        hasWaited: Bool = false
    ) async throws -> ClaimOutcome {
        try await store.claim(request(command, lease: lease, hasWaited: hasWaited))
    }

    func claimed(
        _ command: Command,
        lease: Duration = Self.longLease,
        sourceLocation: SourceLocation = #_sourceLocation
    ) async throws -> Claim {
        let outcome = try await claim(command, lease: lease)
        guard case .claimed(let claim) = outcome else {
            Issue.record("not claimed but \(outcome)", sourceLocation: sourceLocation)
            throw Unexpected()
        }
        return claim
    }

    /// Asks again and again, until the key is free.
    func claimedWhenFree(
        _ command: Command,
        lease: Duration = Self.longLease,
        sourceLocation: SourceLocation = #_sourceLocation
    ) async throws -> Claim {
        for _ in 0..<400 {
            switch try await claim(command, lease: lease) {
            case .claimed(let claim): return claim
            case .waitForKey: try await subject.pass(.milliseconds(25))
            case let outcome:
                Issue.record("not claimed but \(outcome)", sourceLocation: sourceLocation)
                throw Unexpected()
            }
        }
        Issue.record("the key never became free", sourceLocation: sourceLocation)
        throw Unexpected()
    }

    /// The operation under the key of a command that is completed.
    func completed(
        _ command: Command,
        isReplay: Bool,
        sourceLocation: SourceLocation = #_sourceLocation
    ) async throws -> Operation {
        let outcome = try await claim(command)
        guard case .completed(let operation, isReplay) = outcome else {
            Issue.record("not completed (replay: \(isReplay)) but \(outcome)", sourceLocation: sourceLocation)
            throw Unexpected()
        }
        return operation
    }

    struct Unexpected: Error {}

    // MARK: What the bank did

    static var bankTime: Timestamp { Timestamp(microseconds: 1_800_000_000_123_456) }

    static func effect(of claim: Claim, bankID: String? = nil) -> BankEffect {
        let id = bankID ?? "\(claim.operation.kind.rawValue)_\(UniqueID.random)"
        return switch claim.operation.kind {
        case .authorize:
            .authorized(
                authorizationID: id,
                at: bankTime,
                expiresAt: bankTime.advanced(by: .seconds(604_800))
            )
        case .capture: .captured(captureID: id, at: bankTime)
        case .void: .voided(voidID: id, at: bankTime)
        case .refund: .refunded(refundID: id, at: bankTime)
        }
    }

    static func success(_ claim: Claim, bankID: String? = nil, orphan: PossibleOrphan? = nil) -> OperationResult {
        let effect = effect(of: claim, bankID: bankID)
        let body = JSONValue.object(["id": .string(effect.bankID), "text": .string("é \"quoted\" \\ / 漢")])
        return .succeeded(
            claim,
            effect,
            BankResponse(status: 200, body: .json(body)),
            orphan: orphan,
            now: bankTime
        )
    }

    static func decline(_ claim: Claim, code: String, expired: Bool = false) -> OperationResult {
        let body = JSONValue.object(["error": .string(code), "message": .string("no")])
        return .declined(
            claim,
            BankRefusal(code: code, message: "no"),
            BankResponse(status: 400, body: .json(body)),
            authorizationExpired: expired
        )
    }

    // MARK: Payments with a past

    /// A payment that is authorized.
    func authorized(order: String = "order-1", customer: String = "customer-1") async throws -> Payment {
        try await succeeded(authorize(order: order, customer: customer))
    }

    /// Claims and completes, and gives the payment afterwards.
    func succeeded(_ command: Command) async throws -> Payment {
        let result = Self.success(try await claimed(command))
        #expect(try await store.complete(result) == .completed)
        return try #require(result.payment)
    }

    func view(_ payment: PaymentID) async throws -> PaymentView {
        try #require(try await store.payment(payment))
    }
}

extension UniqueID {
    static var random: UniqueID {
        .version7(milliseconds: .random(in: 0..<1 << 40), random: (.random(in: 0 ... .max), .random(in: 0 ... .max)))
    }
}
