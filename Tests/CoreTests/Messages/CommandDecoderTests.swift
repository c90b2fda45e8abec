import Testing

@testable import Core

/// Every rule of docs/contract.md#commands, each with what is just inside and just outside of it.
@Suite("Command decoder", .timeLimit(.minutes(1)))
struct CommandDecoderTests {
    typealias Case = Named<Message>
    typealias BadCase = Named<(message: Message, problem: String)>

    @Test("every operation is decoded whole", arguments: OperationKind.allCases)
    func whole(kind: OperationKind) throws {
        var message = CommandMessage.valid(kind)
        message.correlationID = "c-1"
        message.replyTo = "replies.mine"
        message.headers[HeaderName.merchantID] = .string("shop_1.A-b")
        message.headers[HeaderName.deadline] = .string("2030-01-31T12:00:00Z")
        message.headers[HeaderName.traceparent] = .string("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01")
        guard case .command(let command) = CommandDecoder().decode(message) else {
            Issue.record("not decoded")
            return
        }
        #expect(command.kind == kind)
        #expect(command.paymentID.description == CommandMessage.paymentID)
        #expect(command.idempotencyKey.description == "k-1")
        #expect(command.messageID == "message-1")
        #expect(command.merchantID.description == "shop_1.A-b")
        #expect(command.deadline == Timestamp("2030-01-31T12:00:00Z"))
        #expect(command.route.replyTo == "replies.mine")
        #expect(command.route.correlationID == "c-1")
        #expect(command.route.traceparent == "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01")
        switch command.parameters {
        case .authorize(let parameters):
            #expect(parameters.orderID == "order-1")
            #expect(parameters.customerID == "cust-1")
            #expect(parameters.amount == Money(minorUnits: 5_000, currency: .usd))
            #expect(parameters.card.number == CommandMessage.number)
            #expect(parameters.card.cvv == CommandMessage.cvv)
            #expect(parameters.card.expiryMonth == 12)
            #expect(parameters.card.expiryYear == 2030)
        case .capture(let amount), .refund(let amount): #expect(amount == 5_000)
        case .void: break
        }
    }

    @Test("what the rules allow is accepted", arguments: accepted)
    func accepts(_ example: Case) {
        let result = CommandDecoder().decode(example.value)
        guard case .command = result else {
            Issue.record("\(example): \(result)")
            return
        }
    }

    @Test("what the rules forbid is answered, with the field named", arguments: rejected)
    func rejects(_ example: BadCase) {
        let result = CommandDecoder().decode(example.value.message)
        guard case .answerable(let command) = result else {
            Issue.record("\(example): \(result)")
            return
        }
        #expect(command.problem.field == example.value.problem)
        #expect(command.problem.description.hasPrefix("\(example.value.problem): "))
        #expect(command.idempotencyKey.description == "k-1")
    }

    @Test("what nobody can be notified of is a dead letter, with the field named", arguments: unanswerable)
    func isUnanswerable(_ example: BadCase) {
        let result = CommandDecoder().decode(example.value.message)
        guard case .unanswerable(let problem) = result else {
            Issue.record("\(example): \(result)")
            return
        }
        #expect(problem.field == example.value.problem)
    }

    @Test("an invalid value is left out of the answer, a valid one is not")
    func leavesOut() throws {
        let message = CommandMessage.valid {
            $0.headers[HeaderName.paymentID] = .string("nonsense")
            $0.headers[HeaderName.merchantID] = .string("no spaces")
            $0.messageID = nil
            $0.correlationID = "c-1"
        }
        guard case .answerable(let command) = CommandDecoder().decode(message) else {
            Issue.record("not answerable")
            return
        }
        #expect(command.paymentID == nil)
        #expect(command.merchantID == nil)
        #expect(command.messageID == nil)
        #expect(command.route.correlationID == "c-1")
        guard case .answerable(let other) = CommandDecoder().decode(CommandMessage.valid { $0.body = [] }) else {
            Issue.record("not answerable")
            return
        }
        #expect(other.paymentID?.description == CommandMessage.paymentID)
        #expect(other.merchantID == .default)
        #expect(other.messageID == "message-1")
        #expect(other.route.correlationID == "message-1")
    }

    @Test("an upper-case payment id is made lower")
    func lowersPaymentID() {
        let message = CommandMessage.valid {
            $0.headers[HeaderName.paymentID] = .string(CommandMessage.paymentID.uppercased())
        }
        guard case .command(let command) = CommandDecoder().decode(message) else {
            Issue.record("not decoded")
            return
        }
        #expect(command.paymentID.description == CommandMessage.paymentID)
    }

    @Test(
        "only an allowed reply address is used, any other becomes the default",
        arguments: [
            (nil, nil), ("replies.a", "replies.a"), ("replies.A-z_0.9", "replies.A-z_0.9"),
            ("replies." + String(repeating: "x", count: 80), "replies." + String(repeating: "x", count: 80)),
            ("replies." + String(repeating: "x", count: 81), nil), ("replies.", nil), ("replies", nil), ("", nil),
            ("payments.replies", nil), ("payments.commands.0", nil), ("amq.rabbitmq.reply-to", nil),
            ("amq.gen-1", nil), (" replies.a", nil), ("replies.a b", nil), ("replies.a\n", nil), ("replies.é", nil),
            ("Replies.a", nil), ("replies.a/b", nil),
        ] as [(String?, String?)]
    )
    func replyAddress(stated: String?, used: String?) {
        guard case .command(let command) = CommandDecoder().decode(CommandMessage.valid { $0.replyTo = stated }) else {
            Issue.record("not decoded")
            return
        }
        #expect(command.route.replyTo == used)
    }

    @Test(
        "a malformed traceparent is ignored",
        arguments: [
            .string("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331"), .string("nonsense"), .string(""),
            .string("ff-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"),
            .string("00-00000000000000000000000000000000-b7ad6b7169203331-01"),
            .string("00-0af7651916cd43dd8448eb211c80319c-0000000000000000-01"),
            .string("00-0AF7651916CD43DD8448EB211C80319C-b7ad6b7169203331-01"),
            .string("00-0af7651916cd43dd8448eb211c80319-cb7ad6b7169203331-01"), .integer(1), .bool(true), .other,
        ] as [HeaderValue]
    )
    func ignoresTraceparent(value: HeaderValue) {
        let message = CommandMessage.valid { $0.headers[HeaderName.traceparent] = value }
        guard case .command(let command) = CommandDecoder().decode(message) else {
            Issue.record("not decoded")
            return
        }
        #expect(command.route.traceparent == nil)
    }

    @Test(
        "an id that holds the card number of its own command is refused, and nothing of it is sent back",
        arguments: ["message_id", "correlation_id", "reply_to", "merchant-id", "order_id", "customer_id"],
        ["4111111111111111", "4111-1111-1111-1111"]
    )
    func ownCardInID(_ field: String, _ number: String) {
        var message = CommandMessage.valid()
        switch field {
        case "message_id": message.messageID = "m \(number)"
        case "correlation_id": message.correlationID = CorrelationID(number)
        case "reply_to": message.replyTo = "replies.\(number)"
        case "merchant-id": message.headers["merchant-id"] = .string(number)
        case "order_id": message.body = Array(CommandMessage.authorizeBody(order: number).utf8)
        default: message.body = Array(CommandMessage.authorizeBody(customer: "c\(number)").utf8)
        }
        guard case .answerable(let command) = CommandDecoder().decode(message) else {
            Issue.record("not answerable")
            return
        }
        #expect("\(command.problem)" == "\(field): holds the card number of the command")
        #expect(!Printed.all(command).contains { $0.contains(number) })
        #expect(!Printed.all(OutgoingReply(to: command).message).contains { $0.contains(number) })
    }

    @Test("a key that is the card number of its own command is no key", arguments: ["5000", "-1"])
    func ownCardInKey(amount: String) {
        let message = CommandMessage.valid(
            key: "4111 1111 1111 1111",
            body: CommandMessage.authorizeBody(amount: amount)
        )
        let problem = InvalidField("idempotency-key", "holds the card number of the command")
        #expect(CommandDecoder().decode(message) == .unanswerable(problem))
    }

    @Test("an id that looks like any other card number is an id")
    func otherCardInID() {
        let number = "5555555555554444"
        let message = CommandMessage.valid(key: number, body: CommandMessage.authorizeBody(order: number))
        guard case .command = CommandDecoder().decode(message) else {
            Issue.record("not decoded")
            return
        }
    }
}

/// docs/contract.md#merchants
@Suite("Who may act for whom", .timeLimit(.minutes(1)))
struct MerchantAccessTests {
    private let decoder: CommandDecoder
    private let marks = CopyMarks(Fingerprinter(secret: Array("secret".utf8)))

    init() throws {
        let shop = try #require(MerchantID("shop"))
        decoder = CommandDecoder(CardIntake(), MerchantAccess(["ada": [shop, .default], "bob": [shop]]))
    }

    private func problem(_ change: (inout Message) -> Void) -> (field: String?, replyTo: String?) {
        var message = CommandMessage.valid(.authorize, change)
        message = marks.trusted(message)
        switch decoder.decode(message) {
        case .command(let command): return (nil, command.route.replyTo)
        case .answerable(let invalid): return (invalid.problem.field, invalid.route.replyTo)
        case .unanswerable(let problem): return (problem.field, "unanswerable")
        }
    }

    @Test("a command needs a user whom the broker vouches for, who may act for its merchant, into a queue of theirs")
    func rules() {
        #expect(problem { $0.publisher = "ada" }.field == nil)
        #expect(
            problem {
                $0.headers["merchant-id"] = .string("shop"); $0.publisher = "bob"
            }.field == nil
        )
        #expect(problem { $0.publisher = "bob" }.field == "merchant-id")
        #expect(problem { $0.publisher = "eve" }.field == "merchant-id")
        #expect(problem { _ in }.field == "user_id")
        let own = problem {
            $0.publisher = "ada"; $0.replyTo = "replies.ada.1"
        }
        #expect(own.field == nil && own.replyTo == "replies.ada.1")
        for queue in ["replies.bob.1", "replies.ada", "replies.adam.1", "amq.gen-0123456789012345678901"] {
            let foreign = problem {
                $0.publisher = "ada"; $0.replyTo = queue
            }
            #expect(foreign.field == "reply_to" && foreign.replyTo == nil, "\(queue)")
        }
        // Nor does the rejection of something else go into somebody else's queue.
        let other = problem {
            $0.publisher = "bob"; $0.replyTo = "replies.ada.1"
        }
        #expect(other.field == "merchant-id" && other.replyTo == nil)
    }

    @Test("copies of ours say who has published them; from a client that header says nothing")
    func copies() throws {
        let message = CommandMessage.valid {
            $0.publisher = "ada"
            $0.replyTo = "replies.ada.1"
        }
        let copy = marks.marked(message.cleanCopy())
        #expect(copy.publisher == nil && copy.headers["published-by"] == .string("ada"))
        #expect(problem { $0 = copy }.field == nil)
        #expect(problem { $0.headers["published-by"] = .string("ada") }.field == "user_id")
        let reduced = ReducedMessage(copy, kind: .authorize)
        #expect(reduced.message.headers["published-by"] == .string("ada"))
    }
}
