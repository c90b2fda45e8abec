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
