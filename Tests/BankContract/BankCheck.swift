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
