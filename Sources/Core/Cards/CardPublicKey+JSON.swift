import Crypto
import CryptoExtras

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
