/// The bank's books: accounts, what was done to them, and nothing of HTTP, keys or faults.
///
/// Deterministic: the instant of a command and the number of its effect come from outside.
struct Bank: Sendable {
    private(set) var accounts: [CardAccount]
    private(set) var authorizations: [EffectID: AuthorizationRecord] = [:]
    private(set) var captures: [EffectID: CaptureRecord] = [:]
    private(set) var refunds: [EffectID: RefundRecord] = [:]
    /// Every effect in order of execution; the sequence number of an entry is its index plus one.
    private(set) var ledger: [LedgerEntry] = []
    /// The authorization that was made last, whatever became of it.
    private(set) var lastAuthorization: EffectID?

    /// How long an authorization can be captured, in seconds.
    private let authorizationLifetime: Int64
    private let accountsByNumber: [String: Int]

    init(accounts: [CardAccount], authorizationLifetime: Int64) {
        self.accounts = accounts
        self.authorizationLifetime = authorizationLifetime
        accountsByNumber = Dictionary(
            accounts.indices.map { (accounts[$0].cardNumber, $0) },
            uniquingKeysWith: { first, _ in first }
        )
    }

    /// Decides a command and, where the rules allow it, carries it out.
    ///
    /// - Parameters:
    ///   - command: what to do.
    ///   - key: the idempotency key it came under, for the ledger only.
    ///   - time: now, by the simulator's clock.
    ///   - id: the number of the effect, should there be one.
    /// - Returns: the record of the effect, or why there is none.
    mutating func execute(_ command: BankCommand, key: String, at time: Timestamp, id: EffectID) -> BankAnswer {
        switch command {
        case .authorize(let request): authorize(request, key: key, at: time, id: id)
        case .capture(let target, let amount): capture(target, amount: amount, key: key, at: time, id: id)
        case .void(let target): void(target, key: key, at: time, id: id)
        case .refund(let target, let amount): refund(target, amount: amount, key: key, at: time, id: id)
        }
    }

    /// What a GET answers. An authorization says `approved` forever (docs/correctness.md#what-cannot-be-asked).
    func find(_ query: BankQuery) -> BankAnswer {
        let answer: BankAnswer? =
            switch query {
            case .authorization(let id): id.flatMap { authorizations[$0] }.map(BankAnswer.authorized)
            case .capture(let id): id.flatMap { captures[$0] }.map(BankAnswer.captured)
            case .refund(let id): id.flatMap { refunds[$0] }.map(BankAnswer.refunded)
            }
        return answer ?? .refused(.notFound)
    }

    /// What an authorization is answered, should it get that number; nothing is carried out.
    func decide(_ request: AuthorizeRequest, at time: Timestamp, id: EffectID) -> BankAnswer {
        let index = accountsByNumber[request.cardNumber]
        if let refusal = BankRules.authorize(request, account: index.map { accounts[$0] }, at: time) {
            return .refused(refusal)
        }
        guard let index else { return .refused(.invalidCard) }
        return .authorized(
            AuthorizationRecord(
                id: id,
                account: index,
                amount: request.amount,
                createdAt: time,
                expiresAt: time.adding(seconds: authorizationLifetime)
            )
        )
    }

    private mutating func authorize(
        _ request: AuthorizeRequest,
        key: String,
        at time: Timestamp,
        id: EffectID
    ) -> BankAnswer {
        let answer = decide(request, at: time, id: id)
        guard case .authorized(let record) = answer else { return answer }
        accounts[record.account].available -= record.amount
        authorizations[id] = record
        lastAuthorization = id
        append(.authorize, id: id, of: record, captureID: nil, key: key, at: time)
        return answer
    }

    private mutating func capture(
        _ target: EffectID?,
        amount: Int64,
        key: String,
        at time: Timestamp,
        id: EffectID
    ) -> BankAnswer {
        let found = target.flatMap { authorizations[$0] }
        if let refusal = BankRules.capture(amount: amount, of: found, at: time) { return .refused(refusal) }
        guard let authorization = found else { return .refused(.authorizationNotFound) }
        accounts[authorization.account].balance -= authorization.amount
        authorizations[authorization.id]?.isUsed = true
        let record = CaptureRecord(
            id: id,
            authorizationID: authorization.id,
            account: authorization.account,
            amount: amount,
            capturedAt: time
        )
        captures[id] = record
        append(.capture, id: id, of: authorization, captureID: id, key: key, at: time)
        return .captured(record)
    }

    private mutating func void(_ target: EffectID?, key: String, at time: Timestamp, id: EffectID) -> BankAnswer {
        let found = target.flatMap { authorizations[$0] }
        if let refusal = BankRules.void(of: found) { return .refused(refusal) }
        guard let authorization = found else { return .refused(.authorizationNotFound) }
        accounts[authorization.account].available += authorization.amount
        authorizations[authorization.id]?.isUsed = true
        append(.void, id: id, of: authorization, captureID: nil, key: key, at: time)
        return .voided(VoidRecord(id: id, authorizationID: authorization.id, voidedAt: time))
    }

    private mutating func refund(
        _ target: EffectID?,
        amount: Int64,
        key: String,
        at time: Timestamp,
        id: EffectID
    ) -> BankAnswer {
        let found = target.flatMap { captures[$0] }
        if let refusal = BankRules.refund(amount: amount, of: found) { return .refused(refusal) }
        guard let capture = found, let authorization = authorizations[capture.authorizationID] else {
            return .refused(.captureNotFound)
        }
        accounts[capture.account].balance += capture.amount
        accounts[capture.account].available += capture.amount
        captures[capture.id]?.isRefunded = true
        let record = RefundRecord(id: id, captureID: capture.id, amount: amount, refundedAt: time)
        refunds[id] = record
        append(.refund, id: id, of: authorization, captureID: capture.id, key: key, at: time)
        return .refunded(record)
    }

    private mutating func append(
        _ operation: BankOperation,
        id: EffectID,
        of authorization: AuthorizationRecord,
        captureID: EffectID?,
        key: String,
        at time: Timestamp
    ) {
        ledger.append(
            LedgerEntry(
                operation: operation,
                id: id,
                authorizationID: authorization.id,
                captureID: captureID,
                amount: authorization.amount,
                account: authorization.account,
                idempotencyKey: key,
                executedAt: time
            )
        )
    }
}

/// What became of a command.
struct Execution: Equatable, Sendable {
    let answer: BankAnswer
    /// Nanoseconds from now until its key is stored, and only then the answer may leave; nil where no key is stored.
    var storesKeyAfter: Int64?
}

/// A card the bank knows, and the money behind it, in cents.
struct CardAccount: Sendable {
    let cardNumber: String
    let cvv: String
    /// The first instant at which the card is expired: the start of the month after the one printed on it.
    let expiresAt: Timestamp
    /// What is there; a capture takes from it, a refund gives back.
    var balance: Int64
    /// The balance less the holds of open authorizations.
    var available: Int64

    init(cardNumber: String, cvv: String, expiresAt: Timestamp, balance: Int64) {
        self.cardNumber = cardNumber
        self.cvv = cvv
        self.expiresAt = expiresAt
        self.balance = balance
        available = balance
    }

    /// The last four digits, all that may be shown of the number.
    var lastFour: String { String(cardNumber.suffix(4)) }
}

extension CardAccount {
    /// The card that stays without money, whatever the configuration says.
    private static let emptyCardNumber = "5555555555554444"

    /// The bank's four test cards. A `balance`, in cents, stands instead of the bank's own figures; the card for
    /// insufficient funds keeps its zero.
    static func testCards(balance: Int64?) -> [CardAccount] {
        let january2031 = Timestamp(nanoseconds: 1_924_992_000_000_000_000)
        let july2030 = Timestamp(nanoseconds: 1_909_094_400_000_000_000)
        let october2030 = Timestamp(nanoseconds: 1_917_043_200_000_000_000)
        let april2020 = Timestamp(nanoseconds: 1_585_699_200_000_000_000)
        return [
            CardAccount(
                cardNumber: "4111111111111111",
                cvv: "123",
                expiresAt: january2031,
                balance: balance ?? 1_000_000
            ),
            CardAccount(cardNumber: "4242424242424242", cvv: "456", expiresAt: july2030, balance: balance ?? 50_000),
            CardAccount(cardNumber: emptyCardNumber, cvv: "789", expiresAt: october2030, balance: 0),
            CardAccount(cardNumber: "5105105105105100", cvv: "321", expiresAt: april2020, balance: balance ?? 500_000),
        ]
    }
}
