import Testing

@testable import Core

@Suite("What the bank did", .timeLimit(.minutes(1)))
struct BankEffectTests {
    @Test("is read from a success, nanoseconds cut", arguments: OperationKind.allCases)
    func reads(kind: OperationKind) throws {
        let effect = try BankEffect.read(BankFixture.success(kind), answering: BankFixture.action(kind))
        #expect(effect == BankFixture.effect(kind))
    }

    @Test("a time that is missing or unreadable is none, and ours stands in for it", arguments: OperationKind.allCases)
    func withoutTime(kind: OperationKind) throws {
        let now = Timestamp(microseconds: 42)
        let changes: [[String: JSONValue?]] = ["created_at", "expires_at", "captured_at", "voided_at", "refunded_at"]
            .flatMap { [[$0: nil], [$0: .string("yesterday")], [$0: .number("1")]] }
        for change in changes {
            let effect = try BankEffect.read(BankFixture.success(kind, change), answering: BankFixture.action(kind))
            let payment = effect.apply(to: try PaymentFixture.held(by: kind), now: now)
            #expect(payment.status == kind.succeeded)
            let times = [payment.authorizedAt, payment.capturedAt, payment.voidedAt, payment.refundedAt].compactMap(
                \.self
            )
            #expect(!times.isEmpty)
        }
    }

    @Test("is put on record on the payment, which nobody holds then", arguments: OperationKind.allCases)
    func applies(kind: OperationKind) throws {
        let before = try PaymentFixture.held(by: kind)
        let after = BankFixture.effect(kind).apply(to: before, now: Timestamp(microseconds: 42))
        #expect(after.status == kind.succeeded)
        #expect(after.activeOperation == nil)
        #expect(after.version == before.version + 1)
        #expect(after.amount == before.amount)
        let time = Timestamp("2026-01-31T12:00:00Z")
        switch kind {
        case .authorize:
            #expect(after.bank.authorizationID == "auth_1")
            #expect(after.authorizedAt == Timestamp("2026-01-31T12:00:00.123456Z"))
            #expect(after.expiresAt == Timestamp("2026-02-07T12:00:00.123456Z"))
        case .capture:
            #expect(after.bank.captureID == "cap_1")
            #expect(after.capturedAt == time)
        case .void:
            #expect(after.bank.voidID == "void_1")
            #expect(after.voidedAt == time)
        case .refund:
            #expect(after.bank.refundID == "ref_1")
            #expect(after.refundedAt == time)
        }
    }

    @Test("what is asked of the bank comes from the payment, and needs its ids", arguments: OperationKind.allCases)
    func actions(kind: OperationKind) throws {
        let parameters = try PaymentFixture.parameters(kind)
        #expect(BankAction(parameters, for: try PaymentFixture.held(by: kind)) == BankFixture.action(kind))
        var bare = try PaymentFixture.held(by: kind)
        bare.bank = BankReferences()
        #expect((BankAction(parameters, for: bare) == nil) == (kind != .authorize))
    }

    @Test("a body is JSON or its text, at most 1 KiB of it")
    func bodies() throws {
        let json = BankResponse(status: 200, bytes: Array(#"{"a":1}"#.utf8), isReplayed: true)
        #expect(json.body == .json(.object(["a": .number("1")])))
        #expect(json.isReplayed)
        let text = BankResponse(
            status: 502,
            bytes: Array(repeating: UInt8(ascii: "x"), count: 5_000),
            isReplayed: false
        )
        #expect(text.body == .text(String(repeating: "x", count: 1_024)))
        #expect(BankResponse(status: 200, bytes: [], isReplayed: false).body == .text(""))
        #expect(
            try JSONParser.parse(text.encoded)
                == .object(["body": .string(String(repeating: "x", count: 1_024)), "status": .number("502")])
        )
    }

    @Test("a card number that the bank echoes is reduced, wherever it stands")
    func redacts() throws {
        let card = try #require(BankFixture.card)
        let body = JSONValue.object([
            "message": .string("card 4111111111111111 is bad"),
            "number": .number("4111111111111111"),
            "4111111111111111": .array([.string("4111111111111111"), .bool(true), .null]),
            "amount": .integer(5_000),
        ])
        for response in [
            BankResponse(status: 400, body: .json(body)),
            BankResponse(status: 400, body: .text("no card 4111111111111111 here")),
        ] {
            let redacted = String(decoding: response.redacting(card).encoded, as: UTF8.self)
            #expect(!redacted.contains(card.number))
            #expect(redacted.contains("411111******1111"))
        }
        let redacted = try JSONParser.parse(BankResponse(status: 400, body: .json(body)).redacting(card).encoded)
        #expect(redacted["body"]?["amount"] == .number("5000"))
    }

    @Test(
        "so is a number in groups, and the CVV where it is a word; ids, times and amounts stay as they are",
        arguments: [
            ("message", "card 4111 1111 1111 1111", "card 4111 11** **** 1111"),
            ("message", "4111-1111-1111-1111: cvv 123", "4111-11**-****-1111: cvv ***"),
            ("error", "cvv=123", "cvv=***"), ("message", "123", "***"),
            ("message", "(123), 1234 and 0123", "(***), 1234 and 0123"),
            ("message", "a123 123b", "a123 123b"), ("status", "123", "***"),
            ("authorization_id", "auth_123", "auth_123"), ("authorization_id", "123", "123"),
            ("created_at", "2026-01-01T00:00:00.123Z", "2026-01-01T00:00:00.123Z"),
        ]
    )
    func redactsInWords(name: String, text: String, expected: String) throws {
        let card = try #require(
            CardDetails(number: "4111111111111111", cvv: "123", expiryMonth: 12, expiryYear: 2030)
        )
        let body = JSONValue.object([name: .string(text), "amount": .number("123")])
        let redacted = BankResponse(status: 402, body: .json(body)).redacting(card)
        #expect(redacted.body == .json(.object([name: .string(expected), "amount": .number("123")])))
        guard name == "message" else { return }
        #expect(BankResponse(status: 400, body: .text(text)).redacting(card).body == .text(expected))
        let refusal = BankRefusal(code: "invalid_card", message: text)
        let verdict = Verdict.declined(refusal, orphan: nil).redacted(for: .authorize(card: card, amount: 123))
        #expect(verdict == .declined(BankRefusal(code: "invalid_card", message: expected), orphan: nil))
    }
}

@Suite("The origin of a request to the bank")
struct RequestOriginTests {
    @Test("what is written as bytes is read again, and nothing else is")
    func bytes() throws {
        let origin = RequestOrigin(try PaymentFixture.operation(.authorize, .sent))
        #expect(origin.bytes.count == RequestOrigin.byteCount)
        #expect(RequestOrigin(bytes: origin.bytes) == origin)
        #expect(RequestOrigin(bytes: Array(origin.bytes.dropLast())) == nil)
    }

    static let answers: [(Int, String, Bool)] = [
        (200, #"{"status":"approved"}"#, false), (500, #"{"error":"internal_error"}"#, true), (500, "<html>", false),
        (502, "{}", false), (504, "{}", false), (503, "busy", true), (402, #"{"error":"insufficient_funds"}"#, true),
        (429, "slow down", true), (401, "", true), (400, "not JSON", true), (302, "", false),
    ]

    @Test("an error that comes before anything is executed is a complete error", arguments: answers)
    func completeErrors(status: Int, body: String, isError: Bool) {
        let response = BankResponse(status: status, bytes: Array(body.utf8), isReplayed: false)
        #expect(Verdict.isCompleteError(response) == isError)
    }
}
