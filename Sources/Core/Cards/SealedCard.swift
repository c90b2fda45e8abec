import Crypto

/// A card on its way, sealed for one of our keys: a JSON Web Encryption in its compact form (RFC 7516 §3.1).
struct SealedCard {
    /// In bytes.
    static let maximumSize = 4_096

    let header: Header
    let encryptedKey: [UInt8]
    private let nonce: [UInt8]
    private let ciphertext: [UInt8]
    private let tag: [UInt8]
    /// The header as it stood, which the tag covers.
    private let authenticated: [UInt8]

    /// Takes it apart; what it says of itself decides nothing yet.
    init(_ token: String) throws(SealedCardProblem) {
        guard token.utf8.count <= Self.maximumSize else { throw .unsupported }
        let parts = token.split(separator: ".", maxSplits: 5, omittingEmptySubsequences: false)
        guard parts.count == 5, let headerBytes = Base64URL.decoded(parts[0]) else { throw .cannotBeOpened }
        header = try Header(headerBytes)
        guard let encryptedKey = Base64URL.decoded(parts[1]), let nonce = Base64URL.decoded(parts[2]),
            let ciphertext = Base64URL.decoded(parts[3]), let tag = Base64URL.decoded(parts[4]),
            nonce.count == Self.nonceSize, tag.count == Self.tagSize
        else { throw .cannotBeOpened }
        self.encryptedKey = encryptedKey
        self.nonce = nonce
        self.ciphertext = ciphertext
        self.tag = tag
        authenticated = Array(parts[0].utf8)
    }

    private static let nonceSize = 12
    private static let tagSize = 16

    /// - Returns: the content, in memory only.
    func opened(with keys: CardKeyring) throws(SealedCardProblem) -> [UInt8] {
        guard let id = header.keyID, let key = keys[id] else { throw .unknownKey }
        let contentKey = try key.contentKey(of: self)
        do {
            let box = try AES.GCM.SealedBox(nonce: AES.GCM.Nonce(data: nonce), ciphertext: ciphertext, tag: tag)
            return Array(try AES.GCM.open(box, using: contentKey, authenticating: authenticated))
        } catch {
            throw .cannotBeOpened
        }
    }

    /// What is allowed of the header (RFC 7516 §4.1).
    struct Header {
        let algorithm: CardAlgorithm
        let keyID: String?
        let ephemeralKey: JSONValue?
        let partyU: [UInt8]
        let partyV: [UInt8]

        init(_ bytes: [UInt8]) throws(SealedCardProblem) {
            guard let header = try? JSONParser.parse(bytes), case .object = header else { throw .cannotBeOpened }
            // An extension that must be understood: we know none.
            guard header["zip"] == nil, header["crit"] == nil else { throw .unsupported }
            guard let algorithm = header["alg"]?.string.flatMap(CardAlgorithm.init(rawValue:)),
                header["enc"]?.string == CardAlgorithm.contentEncryption
            else { throw .unsupported }
            self.algorithm = algorithm
            keyID = header["kid"]?.string
            ephemeralKey = header["epk"]
            partyU = try Self.party(header["apu"])
            partyV = try Self.party(header["apv"])
        }

        private static func party(_ value: JSONValue?) throws(SealedCardProblem) -> [UInt8] {
            guard let value else { return [] }
            guard let bytes = value.string.flatMap({ Base64URL.decoded($0) }) else { throw .cannotBeOpened }
            return bytes
        }
    }
}

/// Why a sealed card is of no use, in the words of the contract (docs/contract.md#sealed-cards). It says nothing of what was inside.
package enum SealedCardProblem: Error, Hashable, Sendable {
    /// Its `kid` is none of ours, or missing.
    case unknownKey
    /// Not sealed for that key, changed on its way, or not of the form of a sealed card.
    case cannotBeOpened
    /// It was sealed for another payment than the command's.
    case otherPayment
    /// An algorithm, extension, compression or size that is not allowed.
    case unsupported
    /// It opened; the card inside is not valid.
    case card(InvalidField)

    static let field = "sealed_card"

    package var invalidField: InvalidField {
        switch self {
        case .unknownKey: InvalidField(Self.field, "unknown_key")
        case .cannotBeOpened: InvalidField(Self.field, "cannot_be_opened")
        case .otherPayment: InvalidField(Self.field, "other_payment")
        case .unsupported: InvalidField(Self.field, "unsupported")
        case .card(let problem): InvalidField(Self.field, "\(problem.field) \(problem.problem)")
        }
    }
}

/// In what forms the cards of commands are taken.
package struct CardIntake: Sendable {
    package let keys: CardKeyring
    /// Whether a card that is not sealed is taken: `cards.accept-plain`.
    package let acceptsPlain: Bool

    package init(keys: CardKeyring = .empty, acceptsPlain: Bool = true) {
        self.keys = keys
        self.acceptsPlain = acceptsPlain
    }

    /// The content of a sealed card. It is the only place where one is opened.
    func content(of token: JSONValue) throws(SealedCardProblem) -> [UInt8] {
        guard let token = token.string else { throw .cannotBeOpened }
        return try SealedCard(token).opened(with: keys)
    }
}
