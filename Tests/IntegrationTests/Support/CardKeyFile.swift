import CardSealing
import Core
import Glibc
import TestSupport

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
