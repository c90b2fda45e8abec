import CardSealing
import Core
import TestSupport
import Testing

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
