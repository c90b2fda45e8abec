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

/// What is asked of the bank and what it answers, for every operation.
enum BankFixture {
    static let card = CardDetails(number: "4111111111111111", cvv: "987", expiryMonth: 12, expiryYear: 2030)

    private static var validCard: CardDetails {
        guard let card else { preconditionFailure("the card of the fixture is valid") }
        return card
    }

    static func action(_ kind: OperationKind) -> BankAction {
        switch kind {
        case .authorize: .authorize(card: validCard, amount: 5_000)
        case .capture: .capture(authorizationID: "auth_1", amount: 5_000)
        case .void: .void(authorizationID: "auth_1")
        case .refund: .refund(captureID: "cap_1", amount: 5_000)
        }
    }

    static func error(_ code: String, status: Int) -> BankResponse {
        BankResponse(
            status: status,
            body: .json(.object(["error": .string(code), "message": .string("the bank's words")]))
        )
    }

    private static func members(_ kind: OperationKind) -> [String: JSONValue] {
        switch kind {
        case .authorize:
            [
                "authorization_id": .string("auth_1"), "status": .string("approved"), "amount": .integer(5_000),
                "currency": .string("USD"), "created_at": .string("2026-01-31T12:00:00.123456789Z"),
                "expires_at": .string("2026-02-07T12:00:00.123456789Z"),
            ]
        case .capture:
            [
                "capture_id": .string("cap_1"), "authorization_id": .string("auth_1"), "status": .string("captured"),
                "amount": .integer(5_000), "currency": .string("USD"), "captured_at": .string("2026-01-31T12:00:00Z"),
            ]
        case .void:
            [
                "void_id": .string("void_1"), "authorization_id": .string("auth_1"), "status": .string("voided"),
                "voided_at": .string("2026-01-31T12:00:00Z"),
            ]
        case .refund:
            [
                "refund_id": .string("ref_1"), "capture_id": .string("cap_1"), "status": .string("refunded"),
                "amount": .integer(5_000), "currency": .string("USD"), "refunded_at": .string("2026-01-31T12:00:00Z"),
            ]
        }
    }

    static func success(_ kind: OperationKind, _ changes: [String: JSONValue?] = [:]) -> JSONValue {
        var members = members(kind)
        for (name, value) in changes { members[name] = value }
        return .object(members)
    }

    static func effect(_ kind: OperationKind) -> BankEffect {
        let time = Timestamp("2026-01-31T12:00:00Z")
        return switch kind {
        case .authorize:
            .authorized(
                authorizationID: "auth_1",
                at: Timestamp("2026-01-31T12:00:00.123456Z"),
                expiresAt: Timestamp("2026-02-07T12:00:00.123456Z")
            )
        case .capture: .captured(captureID: "cap_1", at: time)
        case .void: .voided(voidID: "void_1", at: time)
        case .refund: .refunded(refundID: "ref_1", at: time)
        }
    }

    /// docs/correctness.md#replays-ignore-the-body
    static let mismatches: [Named<(kind: OperationKind, body: JSONValue, field: String)>] = [
        mismatch(.authorize, "amount", .integer(5_001)), mismatch(.authorize, "currency", .string("EUR")),
        mismatch(.capture, "amount", .integer(1)), mismatch(.capture, "authorization_id", .string("auth_2")),
        mismatch(.void, "authorization_id", .string("auth_2")), mismatch(.refund, "capture_id", .string("cap_2")),
        mismatch(.refund, "amount", .integer(-5_000)), mismatch(.capture, "amount", .number("4999.0")),
    ]

    private static func mismatch(
        _ kind: OperationKind,
        _ field: String,
        _ value: JSONValue
    ) -> Named<(kind: OperationKind, body: JSONValue, field: String)> {
        Named("\(kind.rawValue) with another \(field)", (kind, success(kind, [field: value]), field))
    }

    static let unreadable: [Named<(kind: OperationKind, body: JSONValue)>] =
        OperationKind.allCases.flatMap { kind -> [Named<(kind: OperationKind, body: JSONValue)>] in
            let needed = members(kind).keys.filter { !$0.hasSuffix("_at") && $0 != "currency" }.sorted()
            return needed.flatMap { field -> [Named<(kind: OperationKind, body: JSONValue)>] in
                [
                    Named("\(kind.rawValue) without \(field)", (kind, success(kind, [field: nil]))),
                    Named("\(kind.rawValue) with a \(field) of null", (kind, success(kind, [field: .null]))),
                    Named(
                        "\(kind.rawValue) with a \(field) of the wrong type",
                        (kind, success(kind, [field: .bool(true)]))
                    ),
                ]
            }
        } + [
            Named("an amount with a fraction", (.authorize, success(.authorize, ["amount": .number("5000.5")]))),
            Named("an amount as text", (.capture, success(.capture, ["amount": .string("5000")]))),
            Named("an empty id", (.authorize, success(.authorize, ["authorization_id": .string("")]))),
            Named(
                "an endless id",
                (.refund, success(.refund, ["refund_id": .string(String(repeating: "x", count: 129))]))
            ),
            Named("an id with a NUL", (.void, success(.void, ["void_id": .string("a\0")]))),
        ]
}
