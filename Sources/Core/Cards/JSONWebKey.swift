import Crypto
import CryptoExtras

/// Reads JSON Web Keys (RFC 7517): P-256, X25519 (RFC 8037) and RSA.
package enum JSONWebKey {
    /// What a file of keys may have in bytes.
    package static let maximumSize = 65_536

    /// The smallest modulus that is taken, in bits.
    private static let smallestRSA = 2_048

    /// The private keys of a text: of one key, or of a set of them, in their order.
    package static func privateKeys(_ text: [UInt8]) throws(CardKeyProblem) -> [CardKey] {
        let keys = try objects(text)
        var found: [CardKey] = []
        for key in keys { found.append(try privateKey(key)) }
        return found
    }

    /// The public keys of a text, private ones reduced to their public halves. Of a set, keys of other kinds and for other uses are
    /// passed over.
    package static func publicKeys(_ text: [UInt8]) throws(CardKeyProblem) -> [CardPublicKey] {
        let keys = try objects(text)
        guard keys.count != 1 else { return [try publicKey(keys[0])] }
        return keys.compactMap { try? publicKey($0) }
    }

    private static func objects(_ text: [UInt8]) throws(CardKeyProblem) -> [JSONValue] {
        guard text.count <= maximumSize, let value = try? JSONParser.parse(text), case .object = value else {
            throw CardKeyProblem("holds no JSON Web Key")
        }
        guard let keys = value["keys"] else { return [value] }
        guard case .array(let keys) = keys, !keys.isEmpty else { throw CardKeyProblem("holds an empty set of keys") }
        return keys
    }

    private static func privateKey(_ key: JSONValue) throws(CardKeyProblem) -> CardKey {
        try checkUse(key)
        let id = try identifier(key)
        let kind = try kind(of: key)
        guard key["d"] != nil else { throw CardKeyProblem("holds a public key only") }
        let secret = try bytes(key, "d")
        do {
            switch kind {
            case .curve(.p256):
                let own = try P256.KeyAgreement.PrivateKey(rawRepresentation: secret)
                try check(key, against: CardKey(id: id, .p256(own)))
                return CardKey(id: id, .p256(own))
            case .curve(.x25519):
                let own = try Curve25519.KeyAgreement.PrivateKey(rawRepresentation: secret)
                try check(key, against: CardKey(id: id, .x25519(own)))
                return CardKey(id: id, .x25519(own))
            case .rsa:
                let own = try _RSA.Encryption.PrivateKey(
                    n: try bytes(key, "n"),
                    e: try bytes(key, "e"),
                    d: secret,
                    p: try bytes(key, "p"),
                    q: try bytes(key, "q")
                )
                guard own.keySizeInBits >= smallestRSA else { throw tooSmall }
                return CardKey(id: id, .rsa(RSAPrivateKey(own)))
            }
        } catch let problem as CardKeyProblem {
            throw problem
        } catch {
            throw CardKeyProblem("holds a key that is not valid")
        }
    }

    private static func publicKey(_ key: JSONValue) throws(CardKeyProblem) -> CardPublicKey {
        try checkUse(key)
        let id = try identifier(key)
        let material = try material(key)
        return CardPublicKey(id: id ?? CardPublicKey(id: "", material).thumbprint, material)
    }

    /// The public half of a key.
    static func material(_ key: JSONValue) throws(CardKeyProblem) -> CardPublicKey.Material {
        let kind = try kind(of: key)
        do {
            switch kind {
            case .curve(.p256):
                let (x, y) = (try bytes(key, "x"), try bytes(key, "y"))
                guard x.count == 32, y.count == 32 else { throw CardKeyProblem("holds a key that is not valid") }
                return .p256(try P256.KeyAgreement.PublicKey(rawRepresentation: x + y))
            case .curve(.x25519):
                return .x25519(try Curve25519.KeyAgreement.PublicKey(rawRepresentation: try bytes(key, "x")))
            case .rsa:
                let own = try _RSA.Encryption.PublicKey(n: try bytes(key, "n"), e: try bytes(key, "e"))
                guard own.keySizeInBits >= smallestRSA else { throw tooSmall }
                return .rsa(RSAPublicKey(own))
            }
        } catch let problem as CardKeyProblem {
            throw problem
        } catch {
            throw CardKeyProblem("holds a key that is not valid")
        }
    }

    private static var tooSmall: CardKeyProblem { CardKeyProblem("holds an RSA key of less than \(smallestRSA) bits") }

    private enum Kind {
        case curve(CardCurve)
        case rsa
    }

    private static func kind(of key: JSONValue) throws(CardKeyProblem) -> Kind {
        switch (key["kty"]?.string, key["crv"]?.string) {
        case ("EC", CardCurve.p256.rawValue): return .curve(.p256)
        case ("OKP", CardCurve.x25519.rawValue): return .curve(.x25519)
        case ("RSA", _): return .rsa
        default: throw CardKeyProblem("holds a key that is neither P-256 nor X25519 nor RSA")
        }
    }

    private static func checkUse(_ key: JSONValue) throws(CardKeyProblem) {
        if let use = key["use"], use.string != "enc" { throw CardKeyProblem("holds a key that is not for encryption") }
    }

    private static func identifier(_ key: JSONValue) throws(CardKeyProblem) -> String? {
        guard let id = key["kid"] else { return nil }
        guard let text = id.string, TextRule.holds(text, length: 1...128) else {
            throw CardKeyProblem("holds a key whose kid is not a string of 1 to 128 characters")
        }
        return text
    }

    private static func bytes(_ key: JSONValue, _ member: String) throws(CardKeyProblem) -> [UInt8] {
        guard let bytes = key[member]?.string.flatMap({ Base64URL.decoded($0) }), !bytes.isEmpty else {
            throw CardKeyProblem("holds a key without a readable \(member)")
        }
        return bytes
    }

    /// A public half that belongs to another private one opens nothing of what is sealed for it.
    private static func check(_ key: JSONValue, against own: CardKey) throws(CardKeyProblem) {
        for (name, value) in own.publicKey.members where key[name] != nil && key[name] != value {
            throw CardKeyProblem("holds a key whose two halves do not belong together")
        }
    }
}

extension CardKey {
    /// As a JSON Web Key with its private half: for the file that keeps it, and nothing else. `nil` for an RSA key, which is made
    /// elsewhere.
    package var privateJSON: JSONValue? {
        guard case .object(var members) = publicKey.json else { return nil }
        switch material {
        case .p256(let key): members["d"] = .bytes(key.rawRepresentation)
        case .x25519(let key): members["d"] = .bytes(key.rawRepresentation)
        case .rsa: return nil
        }
        return .object(members)
    }
}

extension CardPublicKey {
    /// As a JSON Web Key (RFC 7517), with the name of its use and of an algorithm to use it with.
    package var json: JSONValue {
        guard case .object(var object) = JSONValue.object(members) else { return .null }
        object["kid"] = .string(id)
        object["use"] = .string("enc")
        object["alg"] = .string(algorithm.rawValue)
        return .object(object)
    }

    /// The algorithm that senders are told to use with it.
    package var algorithm: CardAlgorithm {
        switch material {
        case .p256, .x25519: .agreement
        case .rsa: .rsa
        }
    }

    /// What kind of key it is, in a word.
    package var kind: String {
        switch material {
        case .p256: CardCurve.p256.rawValue
        case .x25519: CardCurve.x25519.rawValue
        case .rsa(let key): "RSA-\(key.key.keySizeInBits)"
        }
    }

    /// The members that make the key, and nothing else: what its thumbprint is of, too.
    package var members: [String: JSONValue] {
        switch material {
        case .p256(let key):
            let point = Array(key.rawRepresentation)
            return [
                "kty": .string("EC"), "crv": .string(CardCurve.p256.rawValue), "x": .bytes(point.prefix(32)),
                "y": .bytes(point.suffix(32)),
            ]
        case .x25519(let key):
            return [
                "kty": .string("OKP"), "crv": .string(CardCurve.x25519.rawValue), "x": .bytes(key.rawRepresentation),
            ]
        case .rsa(let key):
            guard let numbers = try? key.key.getKeyPrimitives() else { return [:] }
            return [
                "kty": .string("RSA"), "n": .bytes(numbers.modulus.drop { $0 == 0 }),
                "e": .bytes(numbers.publicExponent.drop { $0 == 0 }),
            ]
        }
    }
}

extension JSONValue {
    /// Binary data as JSON Web Keys have it.
    static func bytes(_ bytes: some Sequence<UInt8>) -> JSONValue { .string(Base64URL.encoded(bytes)) }
}

/// Why a text is no key that can be used for cards. Never with anything of the key in it.
package struct CardKeyProblem: Error, Hashable, Sendable, CustomStringConvertible {
    package let description: String

    package init(_ description: String) {
        self.description = description
    }
}
