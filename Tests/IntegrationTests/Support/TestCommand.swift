import AMQP
import BrokerMapping
import CardSealing
import Core
import Glibc
import TestSupport

/// A command as an upstream service sends it.
struct TestCommand: Sendable {
    let kind: OperationKind
    let paymentID: String
    var key = Random.id
    var messageID = Random.id
    var body: String
    var correlationID: CorrelationID?
    var merchantID: String?
    var deadline: String?
    var traceparent: String?

    static func authorize(
        amount: Int = 5000,
        card: TestCard = .ample,
        paymentID: String = Random.id,
        order: String = "order-1"
    ) -> TestCommand {
        let body = """
            {"order_id":"\(order)","customer_id":"cust-1","amount":\(amount),"currency":"USD","card":\(card.json)}
            """
        return TestCommand(kind: .authorize, paymentID: paymentID, body: body)
    }

    static func capture(_ paymentID: String, amount: Int? = nil) -> TestCommand {
        TestCommand(kind: .capture, paymentID: paymentID, body: amount.map { #"{"amount":\#($0)}"# } ?? "{}")
    }

    static func refund(_ paymentID: String, amount: Int? = nil) -> TestCommand {
        TestCommand(kind: .refund, paymentID: paymentID, body: amount.map { #"{"amount":\#($0)}"# } ?? "{}")
    }

    static func void(_ paymentID: String) -> TestCommand {
        TestCommand(kind: .void, paymentID: paymentID, body: "{}")
    }

    /// The same command under the same key, in a message of its own.
    var duplicate: TestCommand {
        var copy = self
        copy.messageID = Random.id
        return copy
    }

    /// What the reply carries as its correlation id.
    var correlation: String { correlationID?.description ?? messageID }

    func message(replyTo: String?) -> AMQPMessage {
        var headers: [String: HeaderValue] = ["payment-id": .string(paymentID), "idempotency-key": .string(key)]
        headers["merchant-id"] = merchantID.map(HeaderValue.string)
        headers["deadline"] = deadline.map(HeaderValue.string)
        headers["traceparent"] = traceparent.map(HeaderValue.string)
        return AMQPMessage(
            Message(
                type: "payment.\(kind.rawValue).v1",
                contentType: "application/json",
                messageID: messageID,
                correlationID: correlationID,
                replyTo: replyTo,
                headers: headers,
                body: Array(body.utf8)
            )
        )
    }

    /// As the processor sends round what no command queue took, for ten minutes and more.
    func unroutedForLong(replyTo: String?) -> AMQPMessage {
        let development = Fingerprinter(secret: Array("development-only-fingerprint-secret".utf8))
        var copy = Message(message(replyTo: replyTo))
        copy.headers[HeaderName.unroutedSince] = .integer(0)
        return AMQPMessage(CopyMarks(development).marked(copy))
    }
}

enum Random {
    /// A UUID that nobody else has.
    static var id: String {
        UniqueID(high: .random(in: 0 ... .max), low: .random(in: 0 ... .max)).description
    }

    /// For names of queues and databases.
    static var name: String { String(UInt64.random(in: 0 ... .max), radix: 36) }
}

/// The cards of the mock bank.
struct TestCard: Sendable {
    let number: String
    let cvv: String
    let expiryMonth: Int
    let expiryYear: Int

    static let ample = TestCard(number: "4111111111111111", cvv: "123", expiryMonth: 12, expiryYear: 2030)
    static let limited = TestCard(number: "4242424242424242", cvv: "456", expiryMonth: 6, expiryYear: 2030)
    static let empty = TestCard(number: "5555555555554444", cvv: "789", expiryMonth: 9, expiryYear: 2030)
    static let expired = TestCard(number: "5105105105105100", cvv: "321", expiryMonth: 3, expiryYear: 2020)
    static let unknown = TestCard(number: "4000056655665556", cvv: "987", expiryMonth: 1, expiryYear: 2031)
    static let wrongCVV = TestCard(number: "4111111111111111", cvv: "654", expiryMonth: 12, expiryYear: 2030)

    static let all = [ample, limited, empty, expired, unknown, wrongCVV]

    var json: String {
        #"{"number":"\#(number)","cvv":"\#(cvv)","expiry_month":\#(expiryMonth),"expiry_year":\#(expiryYear)}"#
    }
}

/// A private key in a file, as `processor keys generate` makes it.
struct CardKeyFile {
    let key: CardKey
    let path: String
    private let directory: ScratchDirectory

    init(_ curve: CardCurve = .p256) throws {
        guard let json = CardKey.generated(curve).privateJSON else { throw ChildError("the key cannot be written") }
        try self.init(json)
    }

    /// Of a key that was made elsewhere.
    init(_ json: JSONValue) throws {
        guard let key = try JSONWebKey.privateKeys(json.encoded).first else { throw ChildError("there is no key") }
        self.key = key
        directory = try ScratchDirectory()
        path = directory.file("card.jwk")
        try ScratchDirectory.write(String(decoding: json.encoded, as: UTF8.self), to: path)
        chmod(path, 0o600)
    }

    func remove() { directory.remove() }
}

extension TestCommand {
    /// An authorize with a sealed card.
    static func authorize(
        sealedFor key: CardKey,
        _ algorithm: CardAlgorithm? = nil,
        amount: Int = 5000,
        card: TestCard = .ample
    ) throws -> TestCommand {
        let paymentID = Random.id
        let content = try JSONParser.parse(Array(card.json.utf8))
        let token = try CardSealer.seal(content, for: paymentID, with: key.publicKey, algorithm)
        return authorize(sealed: token, amount: amount, paymentID: paymentID)
    }

    static func authorize(sealed token: String, amount: Int = 5000, paymentID: String = Random.id) -> TestCommand {
        let body = """
            {"order_id":"order-1","customer_id":"cust-1","amount":\(amount),"currency":"USD","sealed_card":"\(token)"}
            """
        return TestCommand(kind: .authorize, paymentID: paymentID, body: body)
    }
}
