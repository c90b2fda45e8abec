@testable import Core

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
