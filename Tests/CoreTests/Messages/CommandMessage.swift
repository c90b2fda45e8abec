import CardSealing
import Core
import TestSupport
import Testing

/// Valid command messages, to be spoilt one field at a time.
enum CommandMessage {
    static let paymentID = "0190c3a1-7b2d-7c3e-8f4a-123456789abc"
    static let number = "4111111111111111"
    static let cvv = "987"

    static func authorizeBody(
        order: String = "order-1",
        customer: String = "cust-1",
        amount: String = "5000",
        card: String = #"{"number":"4111111111111111","cvv":"987","expiry_month":12,"expiry_year":2030}"#,
        more: String = ""
    ) -> String {
        """
        {"order_id":"\(order)","customer_id":"\(customer)","amount":\(amount),"currency":"USD","card":\(card)\(more)}
        """
    }

    static func body(of kind: OperationKind) -> String {
        switch kind {
        case .authorize: authorizeBody()
        case .capture, .refund: #"{"amount":5000}"#
        case .void: "{}"
        }
    }

    static func valid(
        _ kind: OperationKind = .authorize,
        payment: String = paymentID,
        key: String = "k-1",
        body: String? = nil
    ) -> Message {
        Message(
            type: kind.commandType,
            contentType: "application/json",
            messageID: "message-1",
            headers: [HeaderName.paymentID: .string(payment), HeaderName.idempotencyKey: .string(key)],
            body: Array((body ?? self.body(of: kind)).utf8)
        )
    }

    static func valid(_ kind: OperationKind = .authorize, _ change: (inout Message) -> Void) -> Message {
        var message = valid(kind)
        change(&message)
        return message
    }
}

extension CommandMessage {
    /// A message whose property is there and not UTF-8, as the mapping from the broker makes it.
    static func unreadable(_ property: Message.Property) -> Message {
        valid { message in
            switch property {
            case .type: message.type = nil
            case .contentType: message.contentType = nil
            case .contentEncoding: message.contentEncoding = nil
            case .messageID: message.messageID = nil
            case .replyTo: message.replyTo = nil
            }
            message.unreadable = [property]
        }
    }
}

/// A test argument with a name.
struct Named<Value: Sendable>: Sendable, CustomStringConvertible {
    let description: String
    let value: Value

    init(_ description: String, _ value: Value) {
        self.description = description
        self.value = value
    }
}

/// Keys and sealed cards of other makers.
struct CardSet {
    struct Token: Sendable, CustomStringConvertible {
        let maker: String
        let key: String
        let algorithm: String
        let text: String

        var description: String { "\(maker), \(key), \(algorithm)" }
    }

    let keys: [CardKey]
    let paymentID: String
    let tokens: [Token]

    static let foreign: CardSet? = try? CardSet(Array(ForeignCards.text.utf8))

    private init(_ text: [UInt8]) throws {
        let document = try JSONParser.parse(text)
        keys = try JSONWebKey.privateKeys(JSONValue.object(["keys": document["keys"] ?? .null]).encoded)
        paymentID = document["payment_id"]?.string ?? ""
        guard case .array(let tokens)? = document["tokens"] else { throw NotThere() }
        self.tokens = tokens.map { token in
            Token(
                maker: token["maker"]?.string ?? "",
                key: token["key"]?.string ?? "",
                algorithm: token["alg"]?.string ?? "",
                text: token["token"]?.string ?? ""
            )
        }
    }

    struct NotThere: Error {}
}

extension CommandMessage {
    /// A valid authorize, whose body has this instead of a card.
    static func sealed(_ token: String, payment: String = paymentID, more: String = "") -> Message {
        sealed(json: "\"\(token)\"", payment: payment, more: more)
    }

    static func sealed(json token: String, payment: String = paymentID, more: String = "") -> Message {
        let body = """
            {"order_id":"order-1","customer_id":"cust-1","amount":5000,"currency":"USD","sealed_card":\(token)\(more)}
            """
        return valid(payment: payment, body: body)
    }

    static var card: JSONValue {
        .object([
            "number": .string(number), "cvv": .string(cvv), "expiry_month": .integer(12), "expiry_year": .integer(2030),
        ])
    }
}

/// Every text that a program can make of a value without knowing its type.
enum Printed {
    static func all(_ value: Any) -> [String] {
        var dumped = ""
        dump(value, to: &dumped)
        return ["\(value)", String(describing: value), String(reflecting: value), dumped] + mirrored(value, depth: 12)
    }

    /// What reflection reaches, each part described on its own.
    private static func mirrored(_ value: Any, depth: Int) -> [String] {
        guard depth > 0 else { return [] }
        let mirror = Mirror(reflecting: value)
        return mirror.children.flatMap { child in
            ["\(child.value)", String(reflecting: child.value), child.label ?? ""]
                + mirrored(child.value, depth: depth - 1)
        }
    }
}
