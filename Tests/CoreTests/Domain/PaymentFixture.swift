import Testing

@testable import Core

/// A payment in every state, as the store would have it.
enum PaymentFixture {
    static let createdAt = Timestamp(microseconds: 1_770_000_000_000_000)
    static let operationID = OperationID(UniqueID(high: 1, low: 2))

    static func payment(_ status: PaymentStatus, merchant: MerchantID = .default) throws -> Payment {
        let wasAuthorized = status != .pending && status != .failed
        let wasCaptured = status == .captured || status == .refunding || status == .refunded
        return Payment(
            id: try #require(PaymentID(CommandMessage.paymentID)),
            merchantID: merchant,
            orderID: "order-1",
            customerID: "cust-1",
            amount: try #require(Money(minorUnits: 5_000, currency: .usd)),
            createdAt: createdAt,
            status: status,
            activeOperation: status.isInProgress ? operationID : nil,
            version: 7,
            bank: BankReferences(
                authorizationID: wasAuthorized ? "auth_1" : nil,
                captureID: wasCaptured ? "cap_1" : nil
            )
        )
    }

    static func held(by kind: OperationKind) throws -> Payment { try payment(kind.inProgress) }

    static func parameters(_ kind: OperationKind, amount: Int64? = nil) throws -> CommandParameters {
        switch kind {
        case .authorize:
            .authorize(
                AuthorizeParameters(
                    orderID: "order-1",
                    customerID: "cust-1",
                    amount: try #require(Money(minorUnits: amount ?? 5_000, currency: .usd)),
                    card: try #require(BankFixture.card)
                )
            )
        case .capture: .capture(amount: amount)
        case .void: .void
        case .refund: .refund(amount: amount)
        }
    }

    static func command(
        _ kind: OperationKind,
        key: String = "k-1",
        amount: Int64? = nil,
        merchant: MerchantID = .default,
        deadline: Timestamp? = nil
    ) throws -> Command {
        Command(
            paymentID: try #require(PaymentID(CommandMessage.paymentID)),
            merchantID: merchant,
            idempotencyKey: try #require(IdempotencyKey(key)),
            messageID: "message-1",
            parameters: try parameters(kind, amount: amount),
            deadline: deadline,
            route: ReplyRoute(replyTo: "replies.a", correlationID: "c-1", traceparent: nil)
        )
    }

    static func operation(
        _ kind: OperationKind,
        _ state: OperationState,
        id: OperationID = operationID,
        fencingToken: Int64 = 1,
        attempts: Int = 1,
        token: ClaimToken = ClaimToken(UniqueID(high: 9, low: 9)),
        leaseUntil: Timestamp = createdAt,
        sends: EarlierSends = .none,
        fingerprint: Fingerprint = Fingerprint(bytes: [])
    ) throws -> Operation {
        Operation(
            id: id,
            merchantID: .default,
            idempotencyKey: try #require(IdempotencyKey("k-1")),
            kind: kind,
            paymentID: try #require(PaymentID(CommandMessage.paymentID)),
            fingerprint: fingerprint,
            bankKey: "pp1-fixture",
            route: ReplyRoute(),
            createdAt: createdAt,
            origin: kind == .authorize ? nil : kind == .refund ? .captured : .authorized,
            firstSentAt: createdAt,
            state: state,
            fencingToken: fencingToken,
            leaseUntil: leaseUntil,
            claimToken: token,
            attempts: attempts,
            sends: sends,
            reply: state.isFinal ? Array("{}".utf8) : nil
        )
    }
}
