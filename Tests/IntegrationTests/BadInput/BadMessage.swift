import AMQP
import Testing

/// A message that breaks one rule of docs/contract.md#commands, and what has to become of it.
struct BadMessage: Sendable, CustomTestStringConvertible {
    enum Fate: Sendable {
        /// A `rejected`/`invalid_command` reply that names the field.
        case answered
        /// Nobody can be notified.
        case deadLettered
    }

    let name: String
    /// What the error message must begin with.
    let field: String
    let fate: Fate
    /// What must not be echoed.
    let secret: String?
    let change: @Sendable (inout AMQPMessage) -> Void

    var testDescription: String { name }

    init(
        _ name: String,
        _ field: String,
        _ fate: Fate = .answered,
        secret: String? = nil,
        _ change: @escaping @Sendable (inout AMQPMessage) -> Void
    ) {
        self.name = name
        self.field = field
        self.fate = fate
        self.secret = secret
        self.change = change
    }

    /// Replaces a piece of the body of a good authorize.
    private static func body(
        _ name: String,
        _ field: String,
        _ old: String,
        _ new: String,
        secret: String? = nil
    ) -> BadMessage {
        BadMessage(name, field, secret: secret) { message in
            let text = String(decoding: message.body, as: UTF8.self)
            message.body = Array(text.replacing(old, with: new).utf8)
        }
    }

    private static func header(_ name: String, _ value: AMQPValue?, _ what: String, _ fate: Fate) -> BadMessage {
        BadMessage("\(name) \(what)", name, fate) { $0.properties.headers[name] = value }
    }

    /// As long as AMQP allows, so that nothing repaired would fit.
    private static func notUTF8(_ property: AMQPProperties.Text, _ fate: Fate = .answered) -> BadMessage {
        BadMessage("\(property.rawValue) not UTF-8", property.rawValue, fate) { message in
            message.properties[keyPath: property.text] = nil
            message.properties.undecoded[property] = [UInt8](repeating: 0xff, count: 255)
        }
    }

    static let all = bodies + amounts + cards + texts + headers + properties

    static let bodies = [
        BadMessage("a body that is no JSON", "body") { $0.body = Array("{amount: 5000}".utf8) },
        BadMessage("an empty body", "body") { $0.body = [] },
        BadMessage("half a body", "body") { $0.body.removeLast(40) },
        BadMessage("a body that is not UTF-8", "body") { $0.body[20] = 0xff },
        BadMessage("something after the body", "body") { $0.body += Array("{}".utf8) },
        BadMessage("a body that is an array", "body") { $0.body = Array("[1]".utf8) },
        BadMessage("a name twice", "body") { $0.body = Array(#"{"amount":1,"amount":2}"#.utf8) },
        BadMessage("deep nesting", "body") { $0.body = Array(repeating: UInt8(ascii: "["), count: 60_000) },
        BadMessage("a body of one mebibyte", "body") {
            $0.body += [UInt8](repeating: UInt8(ascii: " "), count: 1 << 20)
        },
    ]

    static let amounts = [
        body("no amount", "amount", #""amount":5000,"#, ""),
        body("a negative amount", "amount", ":5000", ":-5000"),
        body("no money", "amount", ":5000", ":0"),
        body("a fraction", "amount", ":5000", ":50.5"),
        body("a fraction of nothing", "amount", ":5000", ":5000.0"),
        body("an exponent", "amount", ":5000", ":5e3"),
        body("an amount beyond 64 bits", "amount", ":5000", ":9223372036854775808"),
        body("an amount far beyond", "amount", ":5000", ":" + String(repeating: "9", count: 400)),
        body("an amount in quotes", "amount", ":5000", #":"5000""#),
        body("an amount that is null", "amount", ":5000", ":null"),
        body("another currency", "currency", "USD", "EUR"),
        body("a currency in lower case", "currency", "USD", "usd"),
    ]

    static let cards = [
        body("letters in the card", "card.number", "4111111111111111", "41111111111x1111", secret: "41111111111x1111"),
        body("a short card", "card.number", "4111111111111111", "41111111119", secret: "41111111119"),
        body("a long card", "card.number", "4111111111111111", "41111111111111111119", secret: "4111111111111111111"),
        body("digits of another script", "card.number", "4111111111111111", "٤١١١١١١١١١١١١١١١", secret: "٤١١١"),
        body("a card that is a number", "card.number", #""4111111111111111""#, "4111111111111111"),
        body("letters in the CVV", "card.cvv", #""123""#, #""1z3""#, secret: "1z3"),
        body("a long CVV", "card.cvv", #""123""#, #""98765""#, secret: "98765"),
        body("a month that does not exist", "card.expiry_month", ":12", ":13"),
        body("a year long ago", "card.expiry_year", ":2030", ":1999"),
        body("no card", "card", #""card""#, #""cart""#),
    ]

    static let texts = [
        body("no order", "order_id", "order_id", "order"),
        body("a control character in the order", "order_id", "order-1", #"order\u0007"#),
        body("an order in control of the terminal", "order_id", "order-1", #"\u001b[2J"#),
        body("a long order", "order_id", "order-1", String(repeating: "o", count: 129)),
        body("an empty customer", "customer_id", "cust-1", ""),
        body("a customer that is a number", "customer_id", #""cust-1""#, "1"),
    ]

    static let headers = [
        header("idempotency-key", nil, "missing", .deadLettered),
        header("idempotency-key", "", "empty", .deadLettered),
        header("idempotency-key", .string(String(repeating: "k", count: 256)), "too long", .deadLettered),
        header("idempotency-key", 17, "a number", .deadLettered),
        header("idempotency-key", .string("k\u{1}"), "with a control character", .deadLettered),
        header("idempotency-key", .bytes([0xff, 0xfe]), "not UTF-8", .deadLettered),
        header("idempotency-key", .table(["a": "b"]), "a table", .deadLettered),
        header("payment-id", nil, "missing", .answered),
        header("payment-id", "not-a-uuid", "no UUID", .answered),
        header("payment-id", "123e4567e89b12d3a456426614174000", "without dashes", .answered),
        header("payment-id", 4_111, "a number", .answered),
        header("payment-id", .array(["x"]), "an array", .answered),
        header("merchant-id", "a b", "with a space", .answered),
        header("merchant-id", .string(String(repeating: "m", count: 65)), "too long", .answered),
        header("merchant-id", true, "a truth value", .answered),
        header("deadline", "tomorrow", "no instant", .answered),
        header("deadline", .timestamp(1_900_000_000), "an AMQP timestamp", .answered),
    ]

    static let properties = [
        BadMessage("no type", "type", .deadLettered) { $0.properties.type = nil },
        BadMessage("another type", "type", .deadLettered) { $0.properties.type = "payment.authorize.v2" },
        BadMessage("no message id", "message_id") { $0.properties.messageID = nil },
        BadMessage("a long message id", "message_id") { $0.properties.messageID = String(repeating: "m", count: 129) },
        BadMessage("another content type", "content_type") { $0.properties.contentType = "text/plain" },
        BadMessage("another charset", "content_type") {
            $0.properties.contentType = "application/json; charset=latin1"
        },
        BadMessage("a compressed body", "content_encoding") { $0.properties.contentEncoding = "gzip" },
        notUTF8(.type, .deadLettered), notUTF8(.messageID), notUTF8(.contentType), notUTF8(.contentEncoding),
    ]
}

extension AMQPProperties.Text {
    fileprivate var text: WritableKeyPath<AMQPProperties, String?> {
        switch self {
        case .contentType: \.contentType
        case .contentEncoding: \.contentEncoding
        case .correlationID: \.correlationID
        case .replyTo: \.replyTo
        case .expiration: \.expiration
        case .messageID: \.messageID
        case .type: \.type
        case .userID: \.userID
        case .appID: \.appID
        }
    }
}

/// Makes messages that were commands once: pieces are missing, changed, of another type, or noise. Nothing that the broker itself
/// would act upon (`CC`, `expiration`, `user_id`).
struct MessageFuzzer {
    private var random: SplitMix

    init(seed: UInt64) {
        random = SplitMix(state: seed)
    }

    mutating func next(replyTo: String) -> AMQPMessage {
        let id = Random.id
        let commands = [TestCommand.authorize(), .capture(id, amount: 5000), .void(id), .refund(id)]
        var message = commands[pick(commands.count)].message(replyTo: replyTo)
        for _ in 0...pick(3) { change(&message) }
        return message
    }

    private mutating func change(_ message: inout AMQPMessage) {
        let names = ["payment-id", "idempotency-key", "merchant-id", "deadline", "traceparent", "waiting-since"]
        switch pick(11) {
        case 0: message.body = bytes(upTo: 2_000)
        case 1 where !message.body.isEmpty: message.body[pick(message.body.count)] = UInt8(pick(256))
        case 2: message.body.removeLast(pick(message.body.count + 1))
        case 3: message.body += bytes(upTo: 10)
        case 4: message.properties.headers[names[pick(names.count)]] = nil
        case 5, 6: message.properties.headers[names[pick(names.count)]] = value()
        case 7: message.properties.headers["x-\(text(upTo: 10))"] = value()
        case 8: message.properties.type = pick(2) == 0 ? nil : text(upTo: 40)
        case 9: message.properties.contentType = pick(2) == 0 ? nil : text(upTo: 40)
        default:
            message.properties.messageID = pick(2) == 0 ? nil : text(upTo: 150)
            message.properties.correlationID = text(upTo: 60)
            if pick(2) == 0 { message.properties.undecoded[.messageID] = [0xff] + bytes(upTo: 254) }
            if pick(2) == 0 { message.properties.undecoded[.appID] = [0xff] + bytes(upTo: 254) }
            // Not one that is allowed and not there: its reply could not be counted.
            if pick(4) == 0 { message.properties.replyTo = "x" + text(upTo: 40) }
        }
    }

    private mutating func value() -> AMQPValue {
        switch pick(11) {
        case 0: .bool(pick(2) == 0)
        case 1: .int(Int64(bitPattern: random.next()))
        case 2: .unsigned(random.next())
        case 3: .double(Double(random.next()))
        case 4: .bytes(bytes(upTo: 50))
        case 5: .timestamp(random.next())
        case 6: .decimal(scale: UInt8(pick(10)), value: UInt32(pick(1_000)))
        case 7: .array([value(), value()])
        case 8: .table(["a": value(), "b": value()])
        case 9: .void
        default: .string(text(upTo: 300))
        }
    }

    private mutating func text(upTo count: Int) -> String {
        let characters: [Character] = [
            "a", "Z", "0", "9", " ", "\"", "\\", "\u{0}", "\u{1b}", "\n", "é", "漢", "{", ".", "-",
        ]
        // Three bytes each at most, and a property holds 255.
        return String((0..<min(pick(count), 80)).map { _ in characters[pick(characters.count)] })
    }

    private mutating func bytes(upTo count: Int) -> [UInt8] {
        (0..<pick(count)).map { _ in UInt8(pick(256)) }
    }

    private mutating func pick(_ count: Int) -> Int { Int(random.next() % UInt64(count)) }
}

/// Small and good enough; the same numbers for the same seed.
private struct SplitMix {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var value = state
        value = (value ^ (value >> 30)) &* 0xbf58_476d_1ce4_e5b9
        value = (value ^ (value >> 27)) &* 0x94d0_49bb_1331_11eb
        return value ^ (value >> 31)
    }
}
