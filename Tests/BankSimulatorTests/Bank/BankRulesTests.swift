import Testing

@testable import BankSimulator

@Suite("The bank's rules", .timeLimit(.minutes(1)))
struct BankRulesTests {
    @Test(
        "an authorization is refused for card, CVV, amount, expiry and balance, in that order",
        arguments: [
            (nil, "123", 5_000, .invalidCard),
            (nil, "000", -1, .invalidCard),
            (Sample.account(), "000", 5_000, .invalidCVV),
            (Sample.account(expiresIn: 0), "000", 0, .invalidCVV),
            (Sample.account(), "123", 0, .invalidAmount),
            (Sample.account(), "123", -1, .invalidAmount),
            (Sample.account(expiresIn: 0), "123", 0, .invalidAmount),
            (Sample.account(expiresIn: 0), "123", 99_999, .cardExpired),
            (Sample.account(), "123", 10_001, .insufficientFunds),
            (Sample.account(), "123", 10_000, nil),
            (Sample.account(), "123", 1, nil),
            (Sample.account(available: .max), "123", .max, nil),
        ] as [(CardAccount?, String, Int64, BankErrorCode?)]
    )
    func authorize(account: CardAccount?, cvv: String, amount: Int64, expected: BankErrorCode?) {
        let request = AuthorizeRequest(cardNumber: "4111111111111111", cvv: cvv, amount: amount)
        #expect(BankRules.authorize(request, account: account, at: Sample.now) == expected)
    }

    @Test(
        "a capture is refused for an unknown, a used, an expired authorization and for the amount, in that order",
        arguments: [
            (nil, 5_000, .authorizationNotFound),
            (Sample.authorization(isUsed: true, expiresIn: 0), 1, .authorizationAlreadyUsed),
            (Sample.authorization(expiresIn: 0), 5_000, .authorizationExpired),
            (Sample.authorization(expiresIn: 0), 1, .authorizationExpired),
            (Sample.authorization(), 4_999, .amountMismatch),
            (Sample.authorization(), 0, .amountMismatch),
            (Sample.authorization(), 5_000, nil),
        ] as [(AuthorizationRecord?, Int64, BankErrorCode?)]
    )
    func capture(authorization: AuthorizationRecord?, amount: Int64, expected: BankErrorCode?) {
        #expect(BankRules.capture(amount: amount, of: authorization, at: Sample.now) == expected)
    }

    @Test(
        "a void is refused for an unknown and a used authorization, not for an expired one",
        arguments: [
            (nil, .authorizationNotFound),
            (Sample.authorization(isUsed: true), .authorizationAlreadyUsed),
            (Sample.authorization(expiresIn: 0), nil),
            (Sample.authorization(), nil),
        ] as [(AuthorizationRecord?, BankErrorCode?)]
    )
    func void(authorization: AuthorizationRecord?, expected: BankErrorCode?) {
        #expect(BankRules.void(of: authorization) == expected)
    }

    @Test(
        "a refund is refused for an unknown and a refunded capture and for the amount, in that order",
        arguments: [
            (nil, 5_000, .captureNotFound),
            (Sample.capture(isRefunded: true), 1, .alreadyRefunded),
            (Sample.capture(), 4_999, .amountMismatch),
            (Sample.capture(), 5_000, nil),
        ] as [(CaptureRecord?, Int64, BankErrorCode?)]
    )
    func refund(capture: CaptureRecord?, amount: Int64, expected: BankErrorCode?) {
        #expect(BankRules.refund(amount: amount, of: capture) == expected)
    }

    @Test("every code has the status of the bank's table")
    func statuses() {
        let unusual: [BankErrorCode: Int] = [.insufficientFunds: 402, .notFound: 404, .internalError: 500]
        for code in BankErrorCode.allCases { #expect(code.status == unusual[code] ?? 400) }
    }

    @Test("a request for an authorization shows no card data")
    func redaction() {
        let request = AuthorizeRequest(cardNumber: "4111111111111111", cvv: "987", amount: 1)
        var dumped = ""
        dump(request, to: &dumped)
        for text in ["\(request)", String(reflecting: request), dumped] {
            #expect(!text.contains("4111") && !text.contains("987"))
        }
    }
}

@Suite("Reading a command's body", .timeLimit(.minutes(1)))
struct BankCommandBodyTests {
    static let id = "auth_6f9619ff-8b86-4d01-b42d-00cf4fc964ff"

    private func read(_ operation: BankOperation, _ body: String) -> BankCommand? {
        try? BankCommand(operation, body: Array(body.utf8))
    }

    @Test(
        "unknown fields, trailing garbage and odd spacing are accepted",
        arguments: [
            #"{"card_number":"4111","cvv":"123","amount":5000}"#,
            #"{"card_number":"4111","cvv":"123","amount":5000,"extra":[{"a":null},1.5e3,"\u00e9"]}"#,
            #"{"card_number":"4111","cvv":"123","amount":5000} and more }"#,
            " \n{ \"card_number\" : \"4111\" ,\t\"cvv\":\"123\",\"amount\":5000}{",
            #"{"card_number":"4111","cvv":"123","amount":1,"amount":5000,"expiry_month":"nonsense"}"#,
            #"{"card_number":"\u0034111","cvv":"123","amount":5000}"#,
        ]
    )
    func lenient(body: String) {
        let expected = AuthorizeRequest(cardNumber: "4111", cvv: "123", amount: 5_000)
        #expect(read(.authorize, body) == .authorize(expected))
    }

    @Test(
        "what is no JSON object with fields of the right types is malformed",
        arguments: [
            "", "   ", "{", "[]", "1", "\"x\"", "{\"amount\":5000", "{'amount':1}", "{\"amount\":}", "nonsense",
            #"{"amount":"5000"}"#, #"{"amount":50.5}"#, #"{"amount":5e3}"#, #"{"amount":9223372036854775808}"#,
            #"{"card_number":4111111111111111}"#, #"{"cvv":123}"#, #"{"card_number":["4"]}"#,
            "{\"cvv\":\"1\n\"}",
        ]
    )
    func malformed(body: String) {
        #expect(read(.authorize, body) == nil)
    }

    @Test("missing and null fields have their empty value")
    func missing() {
        let empty = BankCommand.authorize(AuthorizeRequest(cardNumber: "", cvv: "", amount: 0))
        #expect(read(.authorize, "{}") == empty)
        #expect(read(.authorize, "null") == empty)
        #expect(read(.authorize, #"{"card_number":null,"cvv":null,"amount":null}"#) == empty)
        #expect(read(.capture, "{}") == .capture(authorizationID: nil, amount: 0))
        #expect(read(.refund, "{}") == .refund(captureID: nil, amount: 0))
    }

    @Test("identifiers are read for their operation, and an ill-formed one is as good as unknown")
    func identifiers() {
        let id = EffectID(Self.id, .authorization)
        #expect(id != nil)
        #expect(read(.void, #"{"authorization_id":"\#(Self.id)"}"#) == .void(authorizationID: id))
        #expect(
            read(.capture, #"{"authorization_id":"\#(Self.id)","amount":1}"#)
                == .capture(authorizationID: id, amount: 1)
        )
        #expect(read(.refund, #"{"capture_id":"\#(Self.id)","amount":1}"#) == .refund(captureID: nil, amount: 1))
        #expect(read(.void, #"{"authorization_id":"nonsense"}"#) == .void(authorizationID: nil))
    }
}

/// Records to decide about.
enum Sample {
    static let now = ManualClock.start

    static func account(available: Int64 = 10_000, expiresIn seconds: Int64 = 1) -> CardAccount {
        CardAccount(
            cardNumber: "4111111111111111",
            cvv: "123",
            expiresAt: now.adding(seconds: seconds),
            balance: available
        )
    }

    static func authorization(isUsed: Bool = false, expiresIn seconds: Int64 = 1) -> AuthorizationRecord {
        var generator = SplitMix64(seed: 1)
        return AuthorizationRecord(
            id: EffectID(using: &generator),
            account: 0,
            amount: 5_000,
            createdAt: now,
            expiresAt: now.adding(seconds: seconds),
            isUsed: isUsed
        )
    }

    static func capture(isRefunded: Bool = false) -> CaptureRecord {
        var generator = SplitMix64(seed: 2)
        return CaptureRecord(
            id: EffectID(using: &generator),
            authorizationID: authorization().id,
            account: 0,
            amount: 5_000,
            capturedAt: now,
            isRefunded: isRefunded
        )
    }
}
