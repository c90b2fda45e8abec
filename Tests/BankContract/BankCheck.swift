import Core
import Testing

/// One thing that every bank does, its weaknesses above all: without them the traps are not tested.
package struct BankCheck: Sendable, CustomTestStringConvertible {
    package let testDescription: String
    private let body: @Sendable (BankScene) async throws -> Void

    init(_ name: String, _ body: @escaping @Sendable (BankScene) async throws -> Void) {
        testDescription = name
        self.body = body
    }

    package func run(on subject: any BankUnderTest) async throws {
        try await body(BankScene(subject: subject))
    }

    package static var all: [BankCheck] { keys + troubles + rules }
}

/// Requests under keys of one check's own.
struct BankScene: Sendable {
    let subject: any BankUnderTest
    private let prefix = "check-\(UInt64.random(in: 0 ... .max))"

    init(subject: any BankUnderTest) {
        self.subject = subject
    }

    func key(_ name: String) -> String { "\(prefix)-\(name)" }

    func effects(_ name: String) async throws -> Int { try await subject.effects(key(name)) }

    func authorize(
        _ name: String,
        amount: Int64 = 5_000,
        number: String = "4111111111111111",
        cvv: String = "123"
    ) async throws -> BankAnswer {
        let card = try #require(CardDetails(number: number, cvv: cvv, expiryMonth: 12, expiryYear: 2030))
        return await send(.authorize(card: card, amount: amount), name)
    }

    func send(_ action: BankAction, _ name: String) async -> BankAnswer {
        await subject.bank.send(
            BankRequest(action: action, idempotencyKey: key(name), traceparent: nil, timeout: .seconds(10))
        )
    }

    /// The effect of a request that succeeds.
    func succeed(_ action: BankAction, _ name: String) async throws -> BankEffect {
        let verdict = Verdict.of(action, await send(action, name), sends: .none)
        guard case .succeeded(let effect, _, _) = verdict else {
            Issue.record("not a success: \(verdict)")
            throw Unexpected()
        }
        return effect
    }

    /// A new authorization's id.
    func authorization(_ name: String = "a") async throws -> String {
        let card = try #require(
            CardDetails(number: "4111111111111111", cvv: "123", expiryMonth: 12, expiryYear: 2030)
        )
        return try await succeed(.authorize(card: card, amount: 5_000), name).bankID
    }

    struct Unexpected: Error {}
}

extension BankAnswer {
    var response: BankResponse? {
        guard case .response(let response) = self else { return nil }
        return response
    }

    /// The code of a refusal, with its status.
    var refusal: String? {
        guard let response, case .json(let body) = response.body, let code = body["error"]?.string else { return nil }
        return "\(response.status) \(code)"
    }

    var isUnanswered: Bool {
        if case .noAnswer = self { true } else { false }
    }
}

extension BankCheck {
    static var keys: [BankCheck] {
        [
            BankCheck("a success is replayed by its key, byte for byte, and marked") { scene in
                let first = try #require(try await scene.authorize("a").response)
                try await scene.subject.pass(.milliseconds(50))
                let second = try #require(try await scene.authorize("a").response)
                #expect(first.status == 200 && !first.isReplayed)
                #expect(second.status == 200 && second.isReplayed)
                #expect(first.body == second.body)
                #expect(try await scene.effects("a") == 1)
            },
            BankCheck("on a replay it does not look at what is asked") { scene in
                let first = try #require(try await scene.authorize("a", amount: 5_000).response)
                try await scene.subject.pass(.milliseconds(50))
                let second = try #require(try await scene.authorize("a", amount: 7_000).response)
                #expect(second.isReplayed)
                #expect(first.body == second.body)
            },
            BankCheck("a refusal is not stored: it is decided anew") { scene in
                #expect(try await scene.authorize("a", cvv: "999").refusal == "400 invalid_cvv")
                try await scene.subject.pass(.milliseconds(50))
                let again = try #require(try await scene.authorize("a", cvv: "999").response)
                #expect(!again.isReplayed)
                let success = try #require(try await scene.authorize("a").response)
                #expect(success.status == 200 && !success.isReplayed)
            },
            BankCheck("a key is not locked: two requests at the same time are two holds") { scene in
                for _ in 0..<2 { try await scene.subject.cause(.latency, on: .authorize) }
                async let first = scene.authorize("a")
                async let second = scene.authorize("a")
                let answers = try await [first, second]
                #expect(answers.allSatisfy { $0.response?.status == 200 && $0.response?.isReplayed == false })
                #expect(try await scene.effects("a") == 2)
            },
        ]
    }

    static var troubles: [BankCheck] {
        let rows: [(trouble: BankTrouble, effects: Int, isReplayedNext: Bool, shows: @Sendable (BankAnswer) -> Bool)] =
            [
                (.dropBefore, 0, false, { $0.isUnanswered }), (.dropAfter, 1, true, { $0.isUnanswered }),
                (
                    .garbage, 1, true,
                    { answer in
                        if case .text? = answer.response?.body { true } else { false }
                    }
                ), (.error500, 0, false, { $0.refusal == "500 internal_error" }),
                (.loseKey, 1, false, { $0.response?.status == 200 }),
            ]
        return rows.map { row in
            BankCheck("\(row.trouble.rawValue) does what it says, once") { scene in
                try await scene.subject.cause(row.trouble, on: .authorize)
                #expect(row.shows(try await scene.authorize("a")))
                #expect(try await scene.effects("a") == row.effects)
                try await scene.subject.pass(.milliseconds(100))
                let next = try #require(try await scene.authorize("a").response)
                #expect(next.status == 200)
                #expect(next.isReplayed == row.isReplayedNext)
                #expect(try await scene.effects("a") == (row.trouble == .loseKey ? 2 : 1))
            }
        }
    }

    static var rules: [BankCheck] {
        [
            BankCheck("an authorization is captured or voided, once") { scene in
                let used = "400 authorization_already_used"
                let id = try await scene.authorization()
                let capture = BankAction.capture(authorizationID: id, amount: 5_000)
                let short = BankAction.capture(authorizationID: id, amount: 1)
                #expect(await scene.send(short, "1").refusal == "400 amount_mismatch")
                _ = try await scene.succeed(capture, "2")
                #expect(await scene.send(capture, "3").refusal == used)
                #expect(await scene.send(.void(authorizationID: id), "4").refusal == used)
                let other = try await scene.authorization("b")
                _ = try await scene.succeed(.void(authorizationID: other), "5")
                #expect(await scene.send(.void(authorizationID: other), "6").refusal == used)
                #expect(await scene.send(.capture(authorizationID: other, amount: 5_000), "7").refusal == used)
            },
            BankCheck("a capture is refunded once") { scene in
                let id = try await scene.authorization()
                let captured = try await scene.succeed(.capture(authorizationID: id, amount: 5_000), "c").bankID
                let short = BankAction.refund(captureID: captured, amount: 1)
                #expect(await scene.send(short, "1").refusal == "400 amount_mismatch")
                _ = try await scene.succeed(.refund(captureID: captured, amount: 5_000), "2")
                let again = BankAction.refund(captureID: captured, amount: 5_000)
                #expect(await scene.send(again, "3").refusal == "400 already_refunded")
            },
            BankCheck("what it does not know it refuses") { scene in
                let nothing = "auth_00000000-0000-4000-8000-000000000000"
                let capture = BankAction.capture(authorizationID: nothing, amount: 1)
                #expect(await scene.send(capture, "1").refusal == "400 authorization_not_found")
                let void = BankAction.void(authorizationID: nothing)
                #expect(await scene.send(void, "2").refusal == "400 authorization_not_found")
                let refund = BankAction.refund(captureID: "cap_00000000-0000-4000-8000-000000000000", amount: 1)
                #expect(await scene.send(refund, "3").refusal == "400 capture_not_found")
                let answer = try await scene.authorize("4", number: "4000000000000002")
                #expect(answer.refusal == "400 invalid_card")
            },
        ]
    }
}
