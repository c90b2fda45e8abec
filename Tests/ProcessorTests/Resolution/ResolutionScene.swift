import Core
import Simulation
import Synchronization
import Testing

@testable import Processor

/// A store with a capture that needs manual review, and a bank that says what it is told to.
struct ResolutionScene: Sendable {
    static let id = "00000000-0000-0000-0000-000000000001"

    let time = VirtualTime()
    let store: InMemoryPaymentStore
    let bank = SayingBank()

    init() {
        store = InMemoryPaymentStore(clock: time, fingerprinter: Fingerprinter(secret: Array("secret".utf8)))
    }

    var resolver: OperationResolver {
        OperationResolver(
            store: store,
            queries: store,
            deadLetters: store,
            bank: bank,
            signal: WakeUpSignal(),
            time: SystemTime(),
            random: SystemRandom(),
            observer: RecordingObserver(),
            limits: HandlerLimits(
                bankTimeout: .seconds(1),
                bankWorstCase: .seconds(1),
                lease: .seconds(3),
                busyAfter: .seconds(2)
            )
        )
    }

    /// An authorized payment, `id`, with a capture under the key "key-1" that needs manual review.
    func prepare() async throws {
        let payment = try #require(PaymentID(Self.id))
        let authorize = AuthorizeParameters(
            orderID: "order-1",
            customerID: "customer-1",
            amount: Money(verified: 5_000, currency: .usd),
            card: try #require(CardDetails(number: "4111111111111111", cvv: "123", expiryMonth: 12, expiryYear: 2_030))
        )
        let authorized = try await claim(.authorize(authorize), payment, key: "key-0")
        let effect = BankEffect.authorized(authorizationID: "auth_1", at: nil, expiresAt: nil)
        let success = BankResponse(status: 200, body: .json(.object([:])))
        #expect(try await store.complete(.succeeded(authorized, effect, success, now: time.now())) == .completed)
        let capture = try await claim(.capture(amount: nil), payment, key: "key-1")
        let given = OperationResult.needsAttention(capture, reason: "bank_timeout", sends: EarlierSends(unanswered: 1))
        #expect(try await store.complete(given) == .completed)
    }

    private func claim(_ parameters: CommandParameters, _ payment: PaymentID, key: String) async throws -> Claim {
        let command = Command(
            paymentID: payment,
            merchantID: .default,
            idempotencyKey: IdempotencyKey(verified: key),
            messageID: "m",
            parameters: parameters
        )
        let random = SystemRandom()
        let request = ClaimRequest(
            command: command,
            operationID: OperationID(random.identifier(at: time.now())),
            token: ClaimToken(random.identifier(at: time.now())),
            lease: .seconds(3)
        )
        guard case .claimed(let claim) = try await store.claim(request) else { throw Samples.Failure.unexpected }
        return claim
    }

    var operation: Core.Operation {
        get async throws {
            let view = try await store.payment(try #require(PaymentID(Self.id)))
            return try #require(view?.operations.last)
        }
    }
}

/// A bank that is only asked.
final class SayingBank: Bank, BankQueries {
    enum Word: Sendable {
        case unknown
        /// The success of the capture, under the key and by its id.
        case captured(String)
        /// Found by this id only.
        case forgotten(String)
        case unreachable
    }

    private let word = Mutex(Word.unknown)

    func say(_ word: Word) {
        self.word.withLock { $0 = word }
    }

    func send(_ request: BankRequest, late: @escaping @Sendable (BankAnswer) -> Void) async -> BankAnswer {
        #expect(request.action.isInquiry)
        return switch word.withLock({ $0 }) {
        case .unknown, .forgotten: Self.error("authorization_not_found", 400)
        case .captured(let id): Self.capture(id, isReplayed: true)
        case .unreachable: .notSent(reason: "connect_failed")
        }
    }

    func ask(_ query: BankQuery, timeout: Duration) async -> BankAnswer {
        switch (word.withLock { $0 }, query) {
        case (.unreachable, _): .notSent(reason: "connect_failed")
        case (_, .health): .response(BankResponse(status: 200, body: .json(.object([:]))))
        case (.captured(let id), .capture(let asked)) where id == asked: Self.capture(id)
        case (.forgotten(let id), .capture(let asked)) where id == asked: Self.capture(id)
        default: Self.error("not_found", 404)
        }
    }

    private static func error(_ code: String, _ status: Int) -> BankAnswer {
        let body = JSONValue.object(["error": .string(code), "message": .string("no")])
        return .response(BankResponse(status: status, body: .json(body)))
    }

    private static func capture(_ id: String, isReplayed: Bool = false) -> BankAnswer {
        let body = JSONValue.object([
            "capture_id": .string(id), "authorization_id": .string("auth_1"), "status": .string("captured"),
            "amount": .integer(5_000), "currency": .string("USD"), "captured_at": .string("2026-01-31T12:00:00Z"),
        ])
        return .response(BankResponse(status: 200, body: .json(body), isReplayed: isReplayed))
    }
}
