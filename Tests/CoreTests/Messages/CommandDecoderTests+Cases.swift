import Core
import Testing

extension CommandDecoderTests {
    private static func header(_ name: String, _ value: HeaderValue?) -> Message {
        CommandMessage.valid { $0.headers[name] = value }
    }

    private static func body(_ kind: OperationKind, _ text: String) -> Message {
        CommandMessage.valid(kind) { $0.body = Array(text.utf8) }
    }

    private static func card(_ text: String) -> Message { body(CommandMessage.authorizeBody(card: text)) }

    private static func card(
        number: String = "\"4111111111111111\"",
        cvv: String = "\"987\"",
        month: String = "12",
        year: String = "2030"
    ) -> Message {
        card("{\"number\":\(number),\"cvv\":\(cvv),\"expiry_month\":\(month),\"expiry_year\":\(year)}")
    }

    private static func body(_ text: String) -> Message { body(.authorize, text) }

    private static func padded(toBytes size: Int) -> Message {
        let empty = CommandMessage.authorizeBody(more: #","filler":"""#)
        let filler = String(repeating: "x", count: size - empty.utf8.count)
        return body(CommandMessage.authorizeBody(more: #","filler":"\#(filler)""#))
    }

    private static func text(_ length: Int, _ character: String = "x") -> String {
        String(repeating: character, count: length)
    }

    // MARK: Accepted

    static let accepted: [Case] = [
        Case("no content type", CommandMessage.valid { $0.contentType = nil }),
        Case("an empty content type", CommandMessage.valid { $0.contentType = "" }),
        Case("a charset", CommandMessage.valid { $0.contentType = "application/json; charset=utf-8" }),
        Case("a charset, shouted", CommandMessage.valid { $0.contentType = "Application/JSON;charset=UTF-8" }),
        Case("a charset in quotes", CommandMessage.valid { $0.contentType = "application/json; charset=\"utf-8\"" }),
        Case("identity", CommandMessage.valid { $0.contentEncoding = "identity" }),
        Case("utf-8 as encoding", CommandMessage.valid { $0.contentEncoding = "utf-8" }),
        Case("UTF8 as encoding", CommandMessage.valid { $0.contentEncoding = "UTF8" }),
        Case("a charset without a dash", CommandMessage.valid { $0.contentType = "application/json; charset=UTF8" }),
        Case("a capture without a body", CommandMessage.valid(.capture) { $0.body = [] }),
        Case("a void without a body", CommandMessage.valid(.void) { $0.body = [] }),
        Case("an empty content encoding", CommandMessage.valid { $0.contentEncoding = "" }),
        Case("a message id of 1", CommandMessage.valid { $0.messageID = "m" }),
        Case("a message id of 128", CommandMessage.valid { $0.messageID = text(128) }),
        Case("a message id of 128 scalars", CommandMessage.valid { $0.messageID = text(128, "é") }),
        Case("a correlation id of 255", CommandMessage.valid { $0.correlationID = CorrelationID(text(255)) }),
        Case(
            "a correlation id that is no text",
            CommandMessage.valid { $0.correlationID = CorrelationID(bytes: [0xff, 0]) }
        ),
        Case("a correlation id with a control character", CommandMessage.valid { $0.correlationID = "\u{7}" }),
        Case("a key of 1", header(HeaderName.idempotencyKey, .string("k"))),
        Case("a key of 255", header(HeaderName.idempotencyKey, .string(text(255)))),
        Case("a key of 255 scalars", header(HeaderName.idempotencyKey, .string(text(255, "\u{1f4b3}")))),
        Case("a key of spaces", header(HeaderName.idempotencyKey, .string("  "))),
        Case("a merchant of 1", header(HeaderName.merchantID, .string("A"))),
        Case("a merchant of 64", header(HeaderName.merchantID, .string(text(64, "-")))),
        Case("a deadline with an offset", header(HeaderName.deadline, .string("2030-01-31T12:00:00+02:00"))),
        Case("a deadline with a fraction", header(HeaderName.deadline, .string("2030-01-31t12:00:00.123456789z"))),
        Case("a deadline that has passed", header(HeaderName.deadline, .string("1999-01-31T12:00:00Z"))),
        Case("unknown headers", header("x-death", .other)),
        Case("a waiting-since of any type", header(HeaderName.waitingSince, .string("nonsense"))),
        Case("a body of 65,536 bytes", padded(toBytes: 65_536)),
        Case("white space around the body", body(" \n{} ".replacing("{}", with: CommandMessage.authorizeBody()))),
        Case("unknown fields", body(CommandMessage.authorizeBody(more: #","unknown":{"a":[1]},"x":null"#))),
        Case("an order id of 128 scalars", body(CommandMessage.authorizeBody(order: text(128, "\u{1f4b3}")))),
        Case("an order id of combining marks", body(CommandMessage.authorizeBody(order: "e\u{301}\u{302}"))),
        Case("an amount of 1", body(CommandMessage.authorizeBody(amount: "1"))),
        Case("the largest amount", body(CommandMessage.authorizeBody(amount: "9223372036854775807"))),
        Case("no currency", body(CommandMessage.authorizeBody().replacing(#""currency":"USD","#, with: ""))),
        Case("a number of 12", card(number: "\"411111111111\"")),
        Case("a number of 19", card(number: "\"4111111111111111111\"")),
        Case("a number against Luhn", card(number: "\"4111111111111112\"")),
        Case("a cvv of 3", card(cvv: "\"000\"")),
        Case("a cvv of 4", card(cvv: "\"0000\"")),
        Case("January 2000", card(month: "1", year: "2000")),
        Case("December 2099", card(month: "12", year: "2099")),
        Case("a capture without amount", body(.capture, "{}")),
        Case("a refund without amount", body(.refund, "{}")),
        Case("a capture of 1", body(.capture, #"{"amount":1}"#)),
        Case("a void with fields", body(.void, #"{"amount":"nonsense"}"#)),
    ]

    // MARK: Answered

    static let rejected: [BadCase] = envelope + bodies + amounts + cards

    private static func bad(_ name: String, _ problem: String, _ message: Message) -> BadCase {
        BadCase(name, (message, problem))
    }

    private static let envelope: [BadCase] = [
        bad("text/plain", "content_type", CommandMessage.valid { $0.contentType = "text/plain" }),
        bad(
            "JSON of another kind",
            "content_type",
            CommandMessage.valid { $0.contentType = "application/problem+json" }
        ),
        bad("latin-1", "content_type", CommandMessage.valid { $0.contentType = "application/json; charset=latin1" }),
        bad("gzip", "content_encoding", CommandMessage.valid { $0.contentEncoding = "gzip" }),
        bad("latin-1 as encoding", "content_encoding", CommandMessage.valid { $0.contentEncoding = "iso-8859-1" }),
        bad("a message id that is not UTF-8", "message_id", CommandMessage.unreadable(.messageID)),
        bad("a content type that is not UTF-8", "content_type", CommandMessage.unreadable(.contentType)),
        bad("a content encoding that is not UTF-8", "content_encoding", CommandMessage.unreadable(.contentEncoding)),
        bad("a reply address that is not UTF-8", "reply_to", CommandMessage.unreadable(.replyTo)),
        bad("no message id", "message_id", CommandMessage.valid { $0.messageID = nil }),
        bad("an empty message id", "message_id", CommandMessage.valid { $0.messageID = "" }),
        bad("a message id of 129", "message_id", CommandMessage.valid { $0.messageID = text(129) }),
        bad("a message id with a tab", "message_id", CommandMessage.valid { $0.messageID = "a\tb" }),
        bad("no payment id", "payment-id", header(HeaderName.paymentID, nil)),
        bad("an empty payment id", "payment-id", header(HeaderName.paymentID, .string(""))),
        bad(
            "a payment id without dashes",
            "payment-id",
            header(HeaderName.paymentID, .string("0190c3a17b2d7c3e8f4a123456789abc"))
        ),
        bad(
            "a payment id in braces",
            "payment-id",
            header(HeaderName.paymentID, .string("{\(CommandMessage.paymentID)}"))
        ),
        bad(
            "a payment id with a g",
            "payment-id",
            header(HeaderName.paymentID, .string("g190c3a1-7b2d-7c3e-8f4a-123456789abc"))
        ),
        bad(
            "a payment id too long",
            "payment-id",
            header(HeaderName.paymentID, .string(CommandMessage.paymentID + "0"))
        ),
        bad("a payment id as integer", "payment-id", header(HeaderName.paymentID, .integer(1))),
        bad("a payment id as bool", "payment-id", header(HeaderName.paymentID, .bool(true))),
        bad("a payment id as bytes", "payment-id", header(HeaderName.paymentID, .other)),
        bad("an empty merchant", "merchant-id", header(HeaderName.merchantID, .string(""))),
        bad("a merchant of 65", "merchant-id", header(HeaderName.merchantID, .string(text(65)))),
        bad("a merchant with a space", "merchant-id", header(HeaderName.merchantID, .string("a b"))),
        bad("a merchant with an accent", "merchant-id", header(HeaderName.merchantID, .string("é"))),
        bad("a merchant with a Kelvin sign", "merchant-id", header(HeaderName.merchantID, .string("\u{212a}"))),
        bad("a merchant as integer", "merchant-id", header(HeaderName.merchantID, .integer(7))),
        bad("a deadline without a zone", "deadline", header(HeaderName.deadline, .string("2030-01-31T12:00:00"))),
        bad("a deadline in words", "deadline", header(HeaderName.deadline, .string("tomorrow"))),
        bad("a deadline on 30 February", "deadline", header(HeaderName.deadline, .string("2030-02-30T12:00:00Z"))),
        bad("an empty deadline", "deadline", header(HeaderName.deadline, .string(""))),
        bad("a deadline as integer", "deadline", header(HeaderName.deadline, .integer(1_900_000_000))),
    ]

    private static let bodies: [BadCase] = [
        bad("no body", "body", body("")),
        bad("no JSON", "body", body("hello")),
        bad("half of it", "body", body(String(CommandMessage.authorizeBody().dropLast(2)))),
        bad("something after it", "body", body(CommandMessage.authorizeBody() + "x")),
        bad("two of it", "body", body(CommandMessage.authorizeBody() + CommandMessage.authorizeBody())),
        bad("an array", "body", body("[]")),
        bad("a string", "body", body("\"a\"")),
        bad("null", "body", body("null")),
        bad("a name twice", "body", body(CommandMessage.authorizeBody(more: #","amount":1"#))),
        bad("not UTF-8", "body", CommandMessage.valid { $0.body = [0x22, 0xff, 0x22] }),
        bad("65,537 bytes", "body", padded(toBytes: 65_537)),
        bad("1 MiB", "body", padded(toBytes: 1_048_576)),
        bad("too deep", "body", body(.void, "{\"a\":" + text(100, "[") + text(100, "]") + "}")),
        bad("no order", "order_id", body("{}")),
        bad("an empty order", "order_id", body(CommandMessage.authorizeBody(order: ""))),
        bad("an order of 129", "order_id", body(CommandMessage.authorizeBody(order: text(129)))),
        bad("an order with a NUL", "order_id", body(CommandMessage.authorizeBody(order: "a\\u0000"))),
        bad("an order with a DEL", "order_id", body(CommandMessage.authorizeBody(order: "a\u{7f}"))),
        bad("an order with a C1", "order_id", body(CommandMessage.authorizeBody(order: "a\u{85}"))),
        bad("an order as number", "order_id", body(CommandMessage.authorizeBody().replacing("\"order-1\"", with: "1"))),
        bad("no customer", "customer_id", body(#"{"order_id":"o"}"#)),
        bad("a customer with a newline", "customer_id", body(CommandMessage.authorizeBody(customer: "a\\n"))),
        bad("a customer of 129", "customer_id", body(CommandMessage.authorizeBody(customer: text(129, "é")))),
        bad("euros", "currency", body(CommandMessage.authorizeBody().replacing("USD", with: "EUR"))),
        bad("small dollars", "currency", body(CommandMessage.authorizeBody().replacing("USD", with: "usd"))),
        bad("a currency of null", "currency", body(CommandMessage.authorizeBody().replacing("\"USD\"", with: "null"))),
        bad("no card", "card", body(#"{"order_id":"o","customer_id":"c","amount":1}"#)),
        bad("a card as text", "card", card("\"4111111111111111\"")),
    ]

    private static let amounts: [BadCase] =
        [
            "0", "-1", "-5000", "5000.0", "5000.5", "5e3", "5E3", "0.5", "9223372036854775808", "1e400", "\"5000\"",
            "true",
            "null", "[5000]", "{}", "99999999999999999999999999999999999999",
        ].flatMap { amount in
            [
                bad("authorize of \(amount)", "amount", body(CommandMessage.authorizeBody(amount: amount))),
                bad("capture of \(amount)", "amount", body(.capture, "{\"amount\":\(amount)}")),
                bad("refund of \(amount)", "amount", body(.refund, "{\"amount\":\(amount)}")),
            ]
        } + [
            bad("leading zeros", "body", body(CommandMessage.authorizeBody(amount: "005000"))),
            bad("a plus", "body", body(CommandMessage.authorizeBody(amount: "+5000"))),
            bad("no amount", "amount", body(#"{"order_id":"o","customer_id":"c"}"#)),
        ]

    private static let cards: [BadCase] = [
        bad("a number with letters", "card.number", card(number: "\"4111x11111111111\"")),
        bad("a number with spaces", "card.number", card(number: "\"4111 1111 1111 1111\"")),
        bad("a number of 11", "card.number", card(number: "\"41111111111\"")),
        bad("a number of 20", "card.number", card(number: "\"41111111111111111111\"")),
        bad("a number as number", "card.number", card(number: "4111111111111111")),
        bad("a number in Arabic digits", "card.number", card(number: "\"\(text(16, "\u{664}"))\"")),
        bad("a number in wide digits", "card.number", card(number: "\"\(text(16, "\u{ff14}"))\"")),
        bad("no number", "card.number", card(#"{"cvv":"987","expiry_month":12,"expiry_year":2030}"#)),
        bad("a cvv of 2", "card.cvv", card(cvv: "\"98\"")),
        bad("a cvv of 5", "card.cvv", card(cvv: "\"98765\"")),
        bad("a cvv with letters", "card.cvv", card(cvv: "\"98a\"")),
        bad("a cvv as number", "card.cvv", card(cvv: "987")),
        bad("month 0", "card.expiry_month", card(month: "0")),
        bad("month 13", "card.expiry_month", card(month: "13")),
        bad("month as text", "card.expiry_month", card(month: "\"12\"")),
        bad("month 12.0", "card.expiry_month", card(month: "12.0")),
        bad("month beyond all", "card.expiry_month", card(month: "99999999999999999999")),
        bad("year 1999", "card.expiry_year", card(year: "1999")),
        bad("year 2100", "card.expiry_year", card(year: "2100")),
        bad("year 30", "card.expiry_year", card(year: "30")),
        bad("no year", "card.expiry_year", card(#"{"number":"4111111111111111","cvv":"987","expiry_month":12}"#)),
    ]

    // MARK: Dead letters

    static let unanswerable: [BadCase] = [
        bad("a type that is not UTF-8", "type", CommandMessage.unreadable(.type)),
        bad("no type", "type", CommandMessage.valid { $0.type = nil }),
        bad("an empty type", "type", CommandMessage.valid { $0.type = "" }),
        bad("an unknown type", "type", CommandMessage.valid { $0.type = "payment.cancel.v1" }),
        bad("another version", "type", CommandMessage.valid { $0.type = "payment.capture.v2" }),
        bad("a result", "type", CommandMessage.valid { $0.type = "payment.capture.result.v1" }),
        bad("another case", "type", CommandMessage.valid { $0.type = "payment.Capture.v1" }),
        bad("no key", "idempotency-key", header(HeaderName.idempotencyKey, nil)),
        bad("an empty key", "idempotency-key", header(HeaderName.idempotencyKey, .string(""))),
        bad("a key of 256", "idempotency-key", header(HeaderName.idempotencyKey, .string(text(256)))),
        bad(
            "a key of 256 scalars",
            "idempotency-key",
            header(HeaderName.idempotencyKey, .string(text(128, "e\u{301}")))
        ),
        bad("a key with a control character", "idempotency-key", header(HeaderName.idempotencyKey, .string("a\u{1b}"))),
        bad("a key as integer", "idempotency-key", header(HeaderName.idempotencyKey, .integer(1))),
        bad("a key as bool", "idempotency-key", header(HeaderName.idempotencyKey, .bool(false))),
        bad("a key as bytes", "idempotency-key", header(HeaderName.idempotencyKey, .other)),
    ]
}
