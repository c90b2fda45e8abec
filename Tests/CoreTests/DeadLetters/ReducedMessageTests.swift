import Testing

@testable import Core

/// Whatever arrives, no card number and no CVV is kept of it; and what is whole stays whole, to be replayed.
@Suite("The reduction of a message", .timeLimit(.minutes(1)))
struct ReducedMessageTests {
    private static let card = #"{"number":"4111111111111111","cvv":"987","expiry_month":12,"expiry_year":2030}"#

    struct Body: Sendable, CustomTestStringConvertible {
        let testDescription: String
        let kind: OperationKind?
        let body: String
        /// `nil`: unchanged.
        let reduced: String?
        var card: String?
        let isReplayable: Bool

        init(
            _ name: String,
            _ kind: OperationKind?,
            _ body: String,
            _ reduced: String?,
            card: String? = nil,
            isReplayable: Bool
        ) {
            testDescription = name
            self.kind = kind
            self.body = body
            self.reduced = reduced
            self.card = card
            self.isReplayable = isReplayable
        }
    }

    static let bodies = [
        Body("an empty object", .void, "{}", nil, isReplayable: true),
        Body("an amount", .capture, #"{"amount": 9223372036854775807}"#, nil, isReplayable: true),
        Body("spaces stay where they are", .refund, #"{ "amount" : 5000 }"#, nil, isReplayable: true),
        Body("of no known type", nil, #"{"amount":5000,"order_id":"o-123456"}"#, nil, isReplayable: true),
        Body(
            "an authorize",
            .authorize,
            #"{"order_id":"order-1","customer_id":"c","amount":5000,"currency":"USD","card":\#(card)}"#,
            """
            {"amount":5000,"card":{"number":"411111******1111"},\
            "currency":"USD","customer_id":"c","order_id":"order-1"}
            """,
            card: "411111******1111",
            isReplayable: false
        ),
        Body(
            "a card that a capture does not read",
            .capture,
            #"{"amount":5000,"card":\#(card)}"#,
            """
            {"amount":5000,"card":{"number":"411111******1111"}}
            """,
            card: "411111******1111",
            isReplayable: true
        ),
        Body(
            "a card number with letters in it",
            .authorize,
            #"{"card":{"number":"4111-1111-1111-1111","cvv":"98x7"}}"#,
            #"{"card":{}}"#,
            isReplayable: false
        ),
        Body(
            "a card number that is a number",
            .authorize,
            #"{"card":{"number":4111111111111111,"cvv":987}}"#,
            #"{"card":{}}"#,
            isReplayable: false
        ),
        Body(
            "a CVV where the year should be, and one under another name",
            .authorize,
            #"{"card":{"expiry_year":1987,"expiry_month":987,"cvw":"987","pin 987":1}}"#,
            #"{"card":{}}"#,
            isReplayable: false
        ),
        Body(
            "a card under another name",
            .capture,
            #"{"amount":5000,"cart":\#(card)}"#,
            #"{"amount":5000,"cart":{"number":"****************"}}"#,
            isReplayable: true
        ),
        Body(
            "what stands on a card, outside of one",
            .void,
            #"{"cvv":"987","Expiry_Month":12,"a":[{"cvc":"1","b":2}],"expiry":"12"}"#,
            #"{"a":[{"b":2}]}"#,
            isReplayable: true
        ),
        Body(
            "a field that an unknown type may well read",
            nil,
            #"{"token":"12345"}"#,
            #"{"token":"*****"}"#,
            isReplayable: false
        ),
        Body("too few digits for a CVV", .void, #"{"note":"v 12"}"#, nil, isReplayable: true),
        Body(
            "digits one by one",
            .void,
            #"{"note":["9","8","7"],"a":[[9,8],{"7":null}]}"#,
            #"{"a":[["*","*"],{"*":null}],"note":["*","*","*"]}"#,
            isReplayable: true
        ),
        Body(
            "a card number for an amount",
            .capture,
            #"{"amount":4111111111111111,"card":{"number":"4111 1111 1111 1111"}}"#,
            #"{"amount":"****************","card":{}}"#,
            isReplayable: false
        ),
        Body(
            "an order id that looks like a card number",
            .authorize,
            #"{"order_id":"x 4111111111111111"}"#,
            nil,
            isReplayable: true
        ),
        Body(
            "an order id that is the card number of the body",
            .authorize,
            #"{"order_id":"4111-1111-1111-1111","card":\#(card)}"#,
            """
            {"card":{"number":"411111******1111"},\
            "order_id":"4111-11**-****-1111"}
            """,
            card: "411111******1111",
            isReplayable: false
        ),
        Body("text", .void, "hello 12", nil, isReplayable: true),
        Body("nothing", .void, "", nil, isReplayable: true),
        Body(
            "half a body",
            .authorize,
            #"{"order_id":"o","card":{"number":"4111111111111111","cvv":"987""#,
            #"{"order_id":"o","card":{"number":"****************","cvv":"***""#,
            isReplayable: false
        ),
        Body("an array", .void, "[987]", "[***]", isReplayable: false),
        Body(
            "escaped digits",
            .void,
            #"{"cvv":"\u0039\u0038\u0037"#,
            #"{"cvv":"\u****\u****\u****"#,
            isReplayable: false
        ),
        Body("digits of another script", .void, "٤١١١", "****", isReplayable: false),
        Body(
            "digits of another script in a card",
            .authorize,
            #"{"card":{"number":"٤١١١١١١١١١١١١١١١","cvv":"٩٨٧"}}"#,
            #"{"card":{}}"#,
            isReplayable: false
        ),
        Body(
            "a name twice",
            .authorize,
            #"{"card":{"number":"4111111111111111"},"card":1}"#,
            #"{"card":{"number":"****************"},"card":*}"#,
            isReplayable: false
        ),
    ]

    @Test("of a body", arguments: bodies)
    func reduces(_ example: Body) {
        let message = Message(body: Array(example.body.utf8))
        let reduced = ReducedMessage(message, kind: example.kind)
        #expect(String(decoding: reduced.message.body, as: UTF8.self) == example.reduced ?? example.body)
        #expect(reduced.card == example.card)
        #expect(reduced.isReplayable == example.isReplayable)
        let again = ReducedMessage(reduced.message, kind: example.kind)
        #expect(again.message.body == reduced.message.body, "it is the same the second time")
    }

    @Test("a body that cannot be looked into is not kept")
    func encoded() {
        let body = Array("H4sIAAAA".utf8)
        let reduced = ReducedMessage(Message(contentEncoding: "gzip", body: body), kind: .void)
        #expect(reduced.message.body.isEmpty && !reduced.isReplayable)
        let identity = ReducedMessage(Message(contentEncoding: "Identity", body: Array("{}".utf8)), kind: .void)
        #expect(identity.message.body == Array("{}".utf8) && identity.isReplayable)
    }

    @Test("bytes that are no text, and more than a command may have, are not replayable and lose their digits")
    func noText() {
        let binary = ReducedMessage(Message(body: [0xff, 0x39, 0x38, 0x37, 0x00]), kind: .void)
        #expect(!binary.message.body.contains(0x39) && !binary.isReplayable)
        let large = ReducedMessage(Message(body: [UInt8](repeating: 0x20, count: 1 << 20)), kind: .void)
        #expect(large.message.body.count == 65_536 && !large.isReplayable)
    }

    @Test("what must not travel and what we have added is gone, everything else stays")
    func headers() {
        var message = CommandMessage.valid(.capture)
        let kept = message.headers
        let dropped = [
            "x-death", "x-delivery-count", "X-Anything", "CC", "BCC", "waiting-since", "error-code", "error-message",
            "failure-instance", "failed-at", "replay-of",
        ]
        for name in dropped { message.headers[name] = .string("a") }
        message.headers["deadline"] = .string("2030-01-01T00:00:00Z")
        message.headers["number"] = .integer(7)
        message.headers["flag"] = .bool(true)
        let reduced = ReducedMessage(message, kind: .capture)
        let added: [String: HeaderValue] = [
            "deadline": .string("2030-01-01T00:00:00Z"), "number": .integer(7), "flag": .bool(true),
        ]
        #expect(reduced.message.headers == kept.merging(added) { first, _ in first })
        #expect(reduced.isReplayable)
        #expect(reduced.message.messageID == message.messageID && reduced.message.type == message.type)
        #expect(reduced.message.headersJSON.headers == reduced.message.headers)
    }

    @Test(
        "a card number in what is no id is reduced, with separators or without",
        arguments: ["type", "reply to", "content type", "content encoding", "a header", "a number", "a header's name"],
        ["4111111111111111", "4111 1111 1111 1111", "4111-1111-1111-1111"]
    )
    func freeText(_ part: String, _ number: String) {
        var message = CommandMessage.valid(.void)
        switch part {
        case "type": message.type = number
        case "reply to": message.replyTo = "elsewhere.\(number)"
        case "content type": message.contentType = number
        case "content encoding": message.contentEncoding = number
        case "a header": message.headers["note"] = .string(number)
        case "a number": message.headers["a"] = .integer(4_111_111_111_111_111)
        default: message.headers[number] = .bool(true)
        }
        let reduced = ReducedMessage(message, kind: part == "type" ? nil : .void)
        #expect(!Printed.all(reduced.message).contains { $0.contains(number) || $0.contains("4111111111111111") })
        #expect(!reduced.isReplayable)
    }

    enum ID: CaseIterable, Sendable {
        case key, messageID, correlationID, merchant, replyTo

        func set(_ value: String, in message: inout Message) {
            switch self {
            case .key: message.headers["idempotency-key"] = .string(value)
            case .messageID: message.messageID = value
            case .correlationID: message.correlationID = CorrelationID(value)
            case .merchant: message.headers["merchant-id"] = .string(value)
            case .replyTo: message.replyTo = "replies.\(value)"
            }
        }
    }

    @Test("ids that look like card numbers stay whole, and their message can be replayed", arguments: ID.allCases)
    func ids(_ id: ID) {
        for number in ["4111111111111111", "4111-1111-1111-1111", "79927398713000000000018"] {
            var message = CommandMessage.valid(.void)
            id.set(number, in: &message)
            let reduced = ReducedMessage(message, kind: .void)
            #expect(reduced.message == message && reduced.isReplayable, "\(number)")
        }
    }

    @Test("none of ordinary decimal keys is changed")
    func ordinaryKeys() {
        for number in 0..<200 {
            let message = CommandMessage.valid(.capture, key: String(20_261_128_000_000_000 + number * 7_919))
            #expect(ReducedMessage(message, kind: .capture).message == message)
            #expect(ReducedMessage(message, kind: .capture).isReplayable)
        }
    }

    @Test("an id that holds the card number of its own body loses it", arguments: ID.allCases, [true, false])
    func ownCard(_ id: ID, isWhole: Bool) {
        let body = CommandMessage.authorizeBody()
        for number in ["4111111111111111", "4111-1111-1111-1111"] {
            var message = CommandMessage.valid(.authorize, body: isWhole ? body : String(body.dropLast(2)))
            id.set("a-\(number)", in: &message)
            let reduced = ReducedMessage(message, kind: .authorize)
            #expect(!Printed.all(reduced.message).contains { $0.contains(number) })
            #expect(!reduced.isReplayable)
        }
    }

    @Test("the one character that the database cannot hold is replaced")
    func null() {
        var message = CommandMessage.valid(.void)
        message.type = "a\0b"
        message.headers["n\0"] = .string("\0")
        let reduced = ReducedMessage(message, kind: nil)
        #expect(reduced.message.type == "a\u{fffd}b")
        #expect(reduced.message.headers["n\u{fffd}"] == .string("\u{fffd}"))
        #expect(!reduced.isReplayable)
    }
}
