package import Core

/// What the bank knows, and its rules (docs/bank.md#behaviour). Nothing here is about keys, connections or time going
/// by.
struct BankBooks {
    private struct Authorization {
        let card: String
        let amount: Int64
        let createdAt: Timestamp
        let expiresAt: Timestamp
        var isUsed = false
    }

    private struct Capture {
        let authorizationID: String
        let amount: Int64
        let capturedAt: Timestamp
        var isRefunded = false
    }

    private struct Refund {
        let captureID: String
        let amount: Int64
        let refundedAt: Timestamp
    }

    private var accounts: [String: BankAccount]
    private var authorizations: [String: Authorization] = [:]
    private var captures: [String: Capture] = [:]
    private var refunds: [String: Refund] = [:]
    private(set) var ledger: [BankLedgerEntry] = []
    private let expiry: Duration

    init(accounts: [BankAccount], expiry: Duration) {
        self.accounts = Dictionary(uniqueKeysWithValues: accounts.map { ($0.number, $0) })
        self.expiry = expiry
    }

    func expiry(of authorizationID: String) -> Timestamp? { authorizations[authorizationID]?.expiresAt }

    func account(_ number: String) -> BankAccount? { accounts[number] }

    /// Executes a request or refuses it.
    mutating func execute(_ request: BankRequest, id: UniqueID, now: Timestamp) -> BankReplyBody {
        switch request.action {
        case .authorize(let card, let amount): authorize(card, amount, request, id, now)
        case .capture(let authorizationID, let amount): capture(authorizationID, amount, request, id, now)
        case .void(let authorizationID): void(authorizationID, request, id, now)
        case .refund(let captureID, let amount): refund(captureID, amount, request, id, now)
        case .inquiry(let kind, _): .unknownKey(kind)
        }
    }

    private mutating func authorize(
        _ card: CardDetails,
        _ amount: Int64,
        _ request: BankRequest,
        _ id: UniqueID,
        _ now: Timestamp
    ) -> BankReplyBody {
        guard let account = accounts[card.number] else { return .error(400, "invalid_card") }
        guard account.cvv == card.cvv else { return .error(400, "invalid_cvv") }
        guard amount > 0 else { return .error(400, "invalid_amount") }
        guard now < account.expiresAt else { return .error(400, "card_expired") }
        guard amount <= account.available else { return .error(402, "insufficient_funds") }
        accounts[card.number]?.available -= amount
        let authorizationID = "auth_\(id)"
        let expiresAt = now.advanced(by: expiry)
        authorizations[authorizationID] = Authorization(
            card: card.number,
            amount: amount,
            createdAt: now,
            expiresAt: expiresAt
        )
        record(request, authorizationID, of: authorizationID, amount, now)
        return .success([
            "authorization_id": .string(authorizationID), "status": .string("approved"), "amount": .integer(amount),
            "currency": .string("USD"), "created_at": .nanoseconds(now), "expires_at": .nanoseconds(expiresAt),
        ])
    }

    private mutating func capture(
        _ authorizationID: String,
        _ amount: Int64,
        _ request: BankRequest,
        _ id: UniqueID,
        _ now: Timestamp
    ) -> BankReplyBody {
        guard let authorization = authorizations[authorizationID] else { return .error(400, "authorization_not_found") }
        guard !authorization.isUsed else { return .error(400, "authorization_already_used") }
        guard now < authorization.expiresAt else { return .error(400, "authorization_expired") }
        guard amount == authorization.amount else { return .error(400, "amount_mismatch") }
        authorizations[authorizationID]?.isUsed = true
        accounts[authorization.card]?.balance -= amount
        let captureID = "cap_\(id)"
        captures[captureID] = Capture(authorizationID: authorizationID, amount: amount, capturedAt: now)
        record(request, captureID, of: authorizationID, amount, now)
        return .success([
            "capture_id": .string(captureID), "authorization_id": .string(authorizationID),
            "status": .string("captured"), "amount": .integer(amount), "currency": .string("USD"),
            "captured_at": .nanoseconds(now),
        ])
    }

    /// An expired one too: that is what frees its hold (docs/correctness.md#expiry-needs-proof).
    private mutating func void(
        _ authorizationID: String,
        _ request: BankRequest,
        _ id: UniqueID,
        _ now: Timestamp
    ) -> BankReplyBody {
        guard let authorization = authorizations[authorizationID] else { return .error(400, "authorization_not_found") }
        guard !authorization.isUsed else { return .error(400, "authorization_already_used") }
        authorizations[authorizationID]?.isUsed = true
        accounts[authorization.card]?.available += authorization.amount
        let voidID = "void_\(id)"
        record(request, voidID, of: authorizationID, authorization.amount, now)
        return .success([
            "void_id": .string(voidID), "authorization_id": .string(authorizationID), "status": .string("voided"),
            "voided_at": .nanoseconds(now),
        ])
    }

    private mutating func refund(
        _ captureID: String,
        _ amount: Int64,
        _ request: BankRequest,
        _ id: UniqueID,
        _ now: Timestamp
    ) -> BankReplyBody {
        guard let capture = captures[captureID] else { return .error(400, "capture_not_found") }
        guard !capture.isRefunded else { return .error(400, "already_refunded") }
        guard amount == capture.amount else { return .error(400, "amount_mismatch") }
        captures[captureID]?.isRefunded = true
        if let card = authorizations[capture.authorizationID]?.card {
            accounts[card]?.available += amount
            accounts[card]?.balance += amount
        }
        let refundID = "ref_\(id)"
        refunds[refundID] = Refund(captureID: captureID, amount: amount, refundedAt: now)
        record(request, refundID, of: capture.authorizationID, amount, now)
        return .success([
            "refund_id": .string(refundID), "capture_id": .string(captureID), "status": .string("refunded"),
            "amount": .integer(amount), "currency": .string("USD"), "refunded_at": .nanoseconds(now),
        ])
    }

    /// `approved` whatever became of an authorization (docs/correctness.md#what-cannot-be-asked); instants in
    /// microseconds (docs/correctness.md#two-precisions-of-time).
    func answer(_ query: BankQuery) -> BankReplyBody {
        switch query {
        case .health:
            return .success(["status": .string("healthy")])
        case .authorization(let id):
            guard let authorization = authorizations[id] else { return .error(404, "not_found") }
            return .success([
                "authorization_id": .string(id), "status": .string("approved"),
                "amount": .integer(authorization.amount), "currency": .string("USD"),
                "created_at": .string(authorization.createdAt.description),
                "expires_at": .string(authorization.expiresAt.description),
            ])
        case .capture(let id):
            guard let capture = captures[id] else { return .error(404, "not_found") }
            return .success([
                "capture_id": .string(id), "authorization_id": .string(capture.authorizationID),
                "status": .string("captured"), "amount": .integer(capture.amount), "currency": .string("USD"),
                "captured_at": .string(capture.capturedAt.description),
            ])
        case .refund(let id):
            guard let refund = refunds[id] else { return .error(404, "not_found") }
            return .success([
                "refund_id": .string(id), "capture_id": .string(refund.captureID), "status": .string("refunded"),
                "amount": .integer(refund.amount), "currency": .string("USD"),
                "refunded_at": .string(refund.refundedAt.description),
            ])
        }
    }

    private mutating func record(
        _ request: BankRequest,
        _ id: String,
        of authorizationID: String,
        _ amount: Int64,
        _ now: Timestamp
    ) {
        ledger.append(
            BankLedgerEntry(
                operation: request.action.kind,
                id: id,
                authorizationID: authorizationID,
                amount: amount,
                idempotencyKey: request.idempotencyKey,
                executedAt: now
            )
        )
    }
}

/// Status and body of an answer, before anything happens to it on its way.
struct BankReplyBody {
    let status: Int
    let bytes: [UInt8]

    var isSuccess: Bool { status == 200 }

    static func success(_ members: [String: JSONValue]) -> BankReplyBody {
        BankReplyBody(status: 200, bytes: JSONValue.object(members).encoded)
    }

    /// A body without anything to execute, under a key that nothing is stored under.
    static func unknownKey(_ kind: OperationKind) -> BankReplyBody {
        switch kind {
        case .authorize: error(400, "invalid_card")
        case .capture, .void: error(400, "authorization_not_found")
        case .refund: error(400, "capture_not_found")
        }
    }

    static func error(_ status: Int, _ code: String) -> BankReplyBody {
        let body = JSONValue.object(["error": .string(code), "message": .string("the bank says \(code)")])
        return BankReplyBody(status: status, bytes: body.encoded)
    }
}

extension JSONValue {
    /// POST answers carry nanoseconds (docs/correctness.md#two-precisions-of-time).
    fileprivate static func nanoseconds(_ time: Timestamp) -> JSONValue {
        .string(time.description.dropLast() + "789Z")
    }
}

/// A card at the bank (docs/bank.md#behaviour).
package struct BankAccount: Hashable, Sendable {
    package let number: String
    package let cvv: String
    /// The first instant at which the card is no longer good.
    package let expiresAt: Timestamp
    /// What may be authorized still, in cents.
    package var available: Int64
    /// What is really there, in cents.
    package var balance: Int64

    package init(number: String, cvv: String, expiresAt: Timestamp, cents: Int64) {
        self.number = number
        self.cvv = cvv
        self.expiresAt = expiresAt
        available = cents
        balance = cents
    }

    /// The four test cards.
    package static let testCards: [BankAccount] = [
        // 2031-01-01, 2030-07-01, 2030-10-01 and 2020-04-01.
        BankAccount(number: "4111111111111111", cvv: "123", expiresAt: second(1_924_992_000), cents: 1_000_000),
        BankAccount(number: "4242424242424242", cvv: "456", expiresAt: second(1_909_094_400), cents: 50_000),
        BankAccount(number: "5555555555554444", cvv: "789", expiresAt: second(1_917_043_200), cents: 0),
        BankAccount(number: "5105105105105100", cvv: "321", expiresAt: second(1_585_699_200), cents: 500_000),
    ]

    private static func second(_ seconds: Int64) -> Timestamp { Timestamp(microseconds: seconds * 1_000_000) }
}
