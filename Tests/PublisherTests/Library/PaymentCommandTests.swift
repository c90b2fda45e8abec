import CardSealing
import Core
import PaymentCommands
import Testing

@testable import Publisher

@Suite("A command of the library", .timeLimit(.minutes(1)))
struct PaymentCommandTests {
    private static let cardKey = CardKey.generated(.p256)

    @Test("is one that the processor takes, its card sealed for its payment")
    func sealed() throws {
        let key = try CardSealingKey(json: Self.cardKey.publicKey.json.encoded)
        #expect(key.id == Self.cardKey.id)
        let options = PaymentCommand.Options(idempotencyKey: "k-1", merchantID: "shop", deadline: .seconds(60))
        let command = try authorize(key: key, options: options)
        #expect(command.operation == .authorize && command.idempotencyKey == "k-1" && command.merchantID == "shop")
        let message = command.message(replyTo: "replies.x")
        #expect(message.messageID == command.messageID && message.correlationID?.text == command.messageID)
        #expect(!String(decoding: message.body, as: UTF8.self).contains(Fixture.card))
        let cards = CardIntake(keys: try CardKeyring([Self.cardKey]), acceptsPlain: false)
        guard case .command(let decoded) = CommandDecoder(cards).decode(message),
            case .authorize(let parameters) = decoded.parameters
        else {
            Issue.record("the processor does not take it")
            return
        }
        #expect(parameters.card.number == Fixture.card && parameters.amount.minorUnits == 5000)
        #expect(decoded.paymentID.description == command.paymentID)
        #expect(try #require(decoded.deadline) > SystemTime.now())
    }

    @Test("means the same payment whenever it is made with the same key, and a new one without")
    func identity() throws {
        let options = PaymentCommand.Options(idempotencyKey: "k-1")
        let (first, second) = (try authorize(options: options), try authorize(options: options))
        #expect(first.paymentID == second.paymentID && first.messageID != second.messageID)
        let (third, fourth) = (try authorize(), try authorize())
        #expect(third.paymentID != fourth.paymentID && third.idempotencyKey != fourth.idempotencyKey)
    }

    @Test("is refused before it is sent where a rule is broken, by the name of the field")
    func rules() throws {
        let long = String(repeating: "x", count: 256)
        let broken: [(String, () throws -> Void)] = [
            ("amount", { _ = try authorize(amount: 0) }), ("currency", { _ = try authorize(currency: "EUR") }),
            ("order_id", { _ = try authorize(orderID: "") }),
            ("payment-id", { _ = try PaymentCommand.void(paymentID: "x") }),
            ("amount", { _ = try PaymentCommand.capture(paymentID: Fixture.paymentID, amount: -1) }),
            ("idempotency-key", { _ = try authorize(options: PaymentCommand.Options(idempotencyKey: long)) }),
            ("merchant-id", { _ = try authorize(options: PaymentCommand.Options(merchantID: "a b")) }),
            ("card.number", { _ = try card(number: "4111") }), ("card.cvv", { _ = try card(cvv: "12") }),
            ("card.expiry_month", { _ = try card(month: 13) }), ("card.expiry_year", { _ = try card(year: 1999) }),
        ]
        for (field, make) in broken {
            let error = #expect(throws: PaymentClientError.self) { try make() }
            #expect(error?.code == .invalidCommand)
            #expect(error?.description.hasPrefix("\(field): ") == true, "\(error?.description ?? "")")
        }
    }

    @Test("shows nothing of its card, however it is printed")
    func redacted() throws {
        let (command, card) = (try authorize(), try card())
        var dumped = ""
        dump(command, to: &dumped)
        dump(card, to: &dumped)
        let texts = ["\(command)", "\(card)", String(reflecting: command), String(reflecting: card), dumped]
        for text in texts { #expect(!text.contains("4111") && !text.contains("123")) }
    }

    @Test("a key without a usable half, and an address that is not safe, are said to be wrong")
    func keys() async {
        for json in ["", "{}", #"{"keys":[]}"#] {
            let error = #expect(throws: PaymentClientError.self) { try CardSealingKey(json: Array(json.utf8)) }
            #expect(error?.code == .configuration)
        }
        let error = await #expect(throws: PaymentClientError.self) {
            try await CardSealingKey.load(from: "http://payments.example/jwks.json")
        }
        #expect(error?.code == .configuration)
    }

    @Test("its configuration names all that is wrong, and shows none of it")
    func configuration() throws {
        let error = #expect(throws: PaymentClientError.self) {
            try PaymentClientConfiguration(url: "amqp://u:secret@broker.example", prefix: "amq.x", certFile: "/c")
        }
        #expect(error?.code == .configuration && error?.description.contains("secret") == false)
        #expect(error?.description.split(separator: ";").count == 3)
        let usable = try PaymentClientConfiguration(url: "amqps://u:secret@broker.example")
        #expect(!"\(usable) \(String(reflecting: usable))".contains("secret"))
    }

    @Test("a reply shows the payment, the problem and the bytes as they came")
    func reply() throws {
        let reply = Reply(
            operation: .capture,
            outcome: .declined,
            error: ReplyError(code: "no_money", message: "because", isRetryable: true, source: .bank),
            payment: try Fixture.payment(),
            paymentID: PaymentID(Fixture.paymentID),
            idempotencyKey: try #require(IdempotencyKey("k-1"))
        )
        let headers = [HeaderName.idempotentReplayed: HeaderValue.bool(true)]
        let received = PaymentReply(try #require(ReceivedReply(Message(headers: headers, body: reply.encoded))))
        #expect(received.outcome == .declined && received.isFinal && received.isReplayed)
        #expect(received.problem?.code == "no_money" && received.problem?.isRetryable == true)
        #expect(received.problem?.isFromBank == true && received.body == reply.encoded)
        let payment = try #require(received.payment)
        #expect(payment.orderID == "o" && payment.customerID == "c" && payment.merchantID == "default")
        #expect(payment.authorizationID == "auth_1" && payment.captureID == nil && payment.expiresAt == nil)
        #expect(payment.createdAt == "1970-01-01T00:00:00.000001Z")
    }

    private func authorize(
        amount: Int64 = 5000,
        currency: String = "USD",
        orderID: String = "o",
        key: CardSealingKey? = nil,
        options: PaymentCommand.Options = PaymentCommand.Options()
    ) throws -> PaymentCommand {
        try .authorize(
            amount: amount,
            currency: currency,
            orderID: orderID,
            customerID: "c",
            card: try card(),
            sealedFor: key,
            options: options
        )
    }

    private func card(
        number: String = Fixture.card,
        cvv: String = "123",
        month: Int = 12,
        year: Int = 2030
    ) throws -> PaymentCard {
        try PaymentCard(number: number, cvv: cvv, expiryMonth: month, expiryYear: year)
    }
}

@Suite("A command on its way out", .timeLimit(.minutes(1)))
struct OutgoingCommandTests {
    @Test("has every field of the contract")
    func message() throws {
        let deadline = try #require(Timestamp("2030-01-31T12:00:00Z"))
        let command = OutgoingCommand(
            kind: .capture,
            paymentID: Fixture.paymentID,
            idempotencyKey: "k-1",
            merchantID: "shop",
            deadline: deadline,
            body: .object(["amount": .number("5000")])
        )
        let id = try #require(UniqueID(Fixture.paymentID))
        let message = command.message(id: id, correlationID: "c-1", replyTo: "replies.publisher.x")
        #expect(
            message
                == Message(
                    type: "payment.capture.v1",
                    contentType: "application/json",
                    messageID: Fixture.paymentID,
                    correlationID: "c-1",
                    replyTo: "replies.publisher.x",
                    headers: [
                        "payment-id": .string(Fixture.paymentID), "idempotency-key": .string("k-1"),
                        "merchant-id": .string("shop"), "deadline": .string("2030-01-31T12:00:00.000000Z"),
                        "traceparent": .string("00-0195a7c26f0e7c3a9c551f2e3d4c5b6a-9c551f2e3d4c5b6a-01"),
                    ],
                    body: Array(#"{"amount":5000}"#.utf8)
                )
        )
    }

    @Test("has no header for what was not given")
    func optionalHeaders() {
        let command = OutgoingCommand(
            kind: .void,
            paymentID: Fixture.paymentID,
            idempotencyKey: "k",
            merchantID: nil,
            body: .object([:])
        )
        let headers = command.message(id: Identifier.unique(), correlationID: "c", replyTo: nil).headers
        #expect(headers.keys.sorted() == ["idempotency-key", "payment-id", "traceparent"])
    }

    @Test("gets a new key and a new payment id where none is given")
    func generated() throws {
        let commands = (0..<100).map { _ in authorize(key: nil) }
        #expect(Set(commands.map(\.idempotencyKey)).count == 100)
        #expect(Set(commands.map(\.paymentID)).count == 100)
        #expect(commands.allSatisfy { PaymentID($0.paymentID)?.description == $0.paymentID })
    }

    @Test("means the same payment whenever it is sent under a given key")
    func derived() {
        let first = authorize(key: "k-1")
        #expect(first.paymentID == authorize(key: "k-1").paymentID)
        #expect(first.paymentID == authorize(key: "k-1", merchantID: "default").paymentID)
        #expect(first.paymentID != authorize(key: "k-2").paymentID)
        #expect(first.paymentID != authorize(key: "k-1", merchantID: "shop").paymentID)
        // Version 8 and the variant of RFC 9562; fixed, because clients may come back years later.
        #expect(first.paymentID == "f37133d8-d22a-82c4-939c-19e94df0dbe2")
    }

    @Test("has a trace of its own each time")
    func traces() {
        let traces = Set((0..<100).map { _ in Identifier.traceparent(of: Identifier.unique()) })
        #expect(traces.count == 100)
        #expect(traces.allSatisfy { TraceParent.wellFormed($0) != nil })
    }

    private func authorize(key: String?, merchantID: String? = nil) -> OutgoingCommand {
        OutgoingCommand(
            kind: .authorize,
            paymentID: nil,
            idempotencyKey: key,
            merchantID: merchantID,
            body: .object([:])
        )
    }
}
