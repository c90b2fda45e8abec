package import Crypto
package import CryptoExtras

/// A private key of the processor's own, that opens what was sealed for it.
package struct CardKey: Sendable {
    package enum Material: Sendable {
        case p256(P256.KeyAgreement.PrivateKey)
        case x25519(Curve25519.KeyAgreement.PrivateKey)
        case rsa(RSAPrivateKey)
    }

    /// The `kid` by which a sealed card names it.
    package let id: String
    package let material: Material

    /// - Parameter id: `nil`: its thumbprint.
    package init(id: String? = nil, _ material: Material) {
        self.id = id ?? CardPublicKey(id: "", material.publicMaterial).thumbprint
        self.material = material
    }

    /// What senders seal cards for.
    package var publicKey: CardPublicKey { CardPublicKey(id: id, material.publicMaterial) }
}

extension CardKey.Material {
    fileprivate var publicMaterial: CardPublicKey.Material {
        switch self {
        case .p256(let key): .p256(key.publicKey)
        case .x25519(let key): .x25519(key.publicKey)
        case .rsa(let key): .rsa(RSAPublicKey(key.key.publicKey))
        }
    }
}

/// The public half of a key, as senders have it.
package struct CardPublicKey: Sendable {
    package enum Material: Sendable {
        case p256(P256.KeyAgreement.PublicKey)
        case x25519(Curve25519.KeyAgreement.PublicKey)
        case rsa(RSAPublicKey)
    }

    package let id: String
    package let material: Material

    package init(id: String, _ material: Material) {
        self.id = id
        self.material = material
    }

    /// The SHA-256 thumbprint of the key (RFC 7638): the same for the same key, whoever computes it.
    package var thumbprint: String {
        Base64URL.encoded(SHA256.hash(data: JSONValue.object(members).encoded))
    }
}

extension CardKey: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    package var description: String { "card key \(id)" }
    package var debugDescription: String { description }
    package var customMirror: Mirror { Mirror(self, children: [(label: String?, value: Any)]()) }
}

/// How the key that encrypts a sealed card is agreed upon or wrapped: the `alg` of its header (RFC 7518 §4.1).
package enum CardAlgorithm: String, CaseIterable, Sendable {
    case agreement = "ECDH-ES"
    case agreementAndWrap = "ECDH-ES+A256KW"
    case rsa = "RSA-OAEP-256"

    /// How its content is encrypted: the only `enc` that is allowed.
    package static let contentEncryption = "A256GCM"
}

/// The curves of keys for `ECDH-ES` (RFC 7518 §6.2.1.1, RFC 8037 §2).
package enum CardCurve: String, CaseIterable, Sendable {
    case p256 = "P-256"
    case x25519 = "X25519"
}

/// The keys that open sealed cards: the current one first, and those before it, for what was sealed earlier.
package struct CardKeyring: Sendable {
    package let keys: [CardKey]
    private let byID: [String: CardKey]

    package static let empty = CardKeyring()

    private init() {
        keys = []
        byID = [:]
    }

    /// - Throws: where two keys have the same id.
    package init(_ keys: [CardKey]) throws(CardKeyProblem) {
        var byID: [String: CardKey] = [:]
        for key in keys where byID.updateValue(key, forKey: key.id) != nil {
            throw CardKeyProblem("holds a key whose kid another one has too")
        }
        self.keys = keys
        self.byID = byID
    }

    package subscript(id: String) -> CardKey? { byID[id] }

    /// The set of public keys (RFC 7517 §5) that senders choose from: the first is current.
    package var publicJSON: JSONValue { .object(["keys": .array(keys.map(\.publicKey.json))]) }
}

extension CardKey {
    /// The key that the content of a sealed card is encrypted with.
    ///
    /// Whatever goes wrong is one and the same: which step it was would help to guess a key.
    func contentKey(of card: SealedCard) throws(SealedCardProblem) -> SymmetricKey {
        switch (material, card.header.algorithm) {
        case (.rsa(let key), .rsa): try unwrapped(card.encryptedKey, key.key)
        case (.p256, .agreement), (.x25519, .agreement):
            try agreed(with: card.header, CardAlgorithm.contentEncryption, card.encryptedKey)
        case (.p256, .agreementAndWrap), (.x25519, .agreementAndWrap):
            try unwrapped(card.encryptedKey, agreed(with: card.header, CardAlgorithm.agreementAndWrap.rawValue))
        case (.rsa, _), (_, .rsa): throw .unsupported
        }
    }

    private func unwrapped(
        _ encrypted: [UInt8],
        _ key: _RSA.Encryption.PrivateKey
    ) throws(SealedCardProblem) -> SymmetricKey {
        guard let content = try? key.decrypt(encrypted, padding: .PKCS1_OAEP_SHA256),
            content.count == Self.contentKeySize
        else { throw .cannotBeOpened }
        return SymmetricKey(data: content)
    }

    private func unwrapped(_ encrypted: [UInt8], _ key: SymmetricKey) throws(SealedCardProblem) -> SymmetricKey {
        guard encrypted.count == Self.contentKeySize + 8, let content = try? AES.KeyWrap.unwrap(encrypted, using: key)
        else { throw .cannotBeOpened }
        return content
    }

    /// - Parameter encryptedKey: there is none where the content's key is agreed upon directly.
    private func agreed(
        with header: SealedCard.Header,
        _ algorithm: String,
        _ encryptedKey: [UInt8] = []
    ) throws(SealedCardProblem) -> SymmetricKey {
        guard encryptedKey.isEmpty, let sender = header.ephemeralKey.flatMap({ try? JSONWebKey.material($0) }),
            let secret = shared(with: sender)
        else { throw .cannotBeOpened }
        return secret.withUnsafeBytes { secret in
            ConcatKDF.key(
                secret: secret,
                algorithm: algorithm,
                partyU: header.partyU,
                partyV: header.partyV,
                bits: Self.contentKeySize * 8
            )
        }
    }

    private func shared(with sender: CardPublicKey.Material) -> SharedSecret? {
        switch (material, sender) {
        case (.p256(let own), .p256(let other)): try? own.sharedSecretFromKeyAgreement(with: other)
        case (.x25519(let own), .x25519(let other)): try? own.sharedSecretFromKeyAgreement(with: other)
        default: nil
        }
    }

    /// Of A256GCM, in bytes.
    private static let contentKeySize = 32
}

/// The key derivation of JSON Web Encryption (RFC 7518 §4.6.2): the Concat KDF of NIST SP 800-56A with SHA-256.
package enum ConcatKDF {
    /// - Parameters:
    ///   - secret: what both sides have agreed on (Z).
    ///   - algorithm: the name of what the key is for: of `enc` where it encrypts the content, of `alg` where it wraps a key.
    ///   - partyU: of the sender, as its header says.
    ///   - partyV: of the recipient, as its header says.
    ///   - bits: the length of the key, at most 256.
    package static func key(
        secret: UnsafeRawBufferPointer,
        algorithm: String,
        partyU: [UInt8] = [],
        partyV: [UInt8] = [],
        bits: Int
    ) -> SymmetricKey {
        var digest = SHA256()
        digest.update(data: bigEndian(1))
        digest.update(bufferPointer: secret)
        for field in [Array(algorithm.utf8), partyU, partyV] {
            digest.update(data: bigEndian(UInt32(field.count)))
            digest.update(data: field)
        }
        digest.update(data: bigEndian(UInt32(bits)))
        return digest.finalize().withUnsafeBytes { SymmetricKey(data: $0.prefix(bits / 8)) }
    }

    private static func bigEndian(_ number: UInt32) -> [UInt8] { withUnsafeBytes(of: number.bigEndian) { Array($0) } }
}

/// The library declares its RSA keys for signing `Sendable`, and has forgotten those for encryption, which wrap the very same backing:
/// nothing changes it once it is made.
package struct RSAPrivateKey: Sendable {
    package nonisolated(unsafe) let key: _RSA.Encryption.PrivateKey

    package init(_ key: _RSA.Encryption.PrivateKey) {
        self.key = key
    }
}

/// See `RSAPrivateKey`.
package struct RSAPublicKey: Sendable {
    package nonisolated(unsafe) let key: _RSA.Encryption.PublicKey

    package init(_ key: _RSA.Encryption.PublicKey) {
        self.key = key
    }
}
