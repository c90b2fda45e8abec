package import Core
import Crypto
import CryptoExtras

/// Seals cards, as senders do (docs/contract.md#sealed-cards). Apart from `Core`, which opens them, because it draws random numbers.
package enum CardSealer {
    /// A card that nobody but the owner of the key can read, good for one payment.
    ///
    /// - Parameters:
    ///   - card: `number`, `cvv`, `expiry_month` and `expiry_year`; whether they are valid, the processor judges.
    ///   - paymentID: of the command that it goes with.
    ///   - key: the processor's.
    ///   - algorithm: `nil`: the key's own.
    /// - Returns: the value of `sealed_card`.
    package static func seal(
        _ card: JSONValue,
        for paymentID: String,
        with key: CardPublicKey,
        _ algorithm: CardAlgorithm? = nil
    ) throws(CardKeyProblem) -> String {
        let content = JSONValue.object(["card": card, "payment_id": .string(paymentID)])
        do {
            return try token(content.encoded, key, algorithm ?? key.algorithm)
        } catch let problem as CardKeyProblem {
            throw problem
        } catch {
            throw CardKeyProblem("cannot be sealed with")
        }
    }

    private static func token(_ content: [UInt8], _ key: CardPublicKey, _ algorithm: CardAlgorithm) throws -> String {
        var header: [String: JSONValue] = [
            "alg": .string(algorithm.rawValue), "enc": .string(CardAlgorithm.contentEncryption), "kid": .string(key.id),
        ]
        var encryptedKey: [UInt8] = []
        let contentKey: SymmetricKey
        switch algorithm {
        case .rsa:
            guard case .rsa(let publicKey) = key.material else { throw wrongAlgorithm }
            contentKey = SymmetricKey(size: .bits256)
            let bytes = contentKey.withUnsafeBytes { Array($0) }
            encryptedKey = Array(try publicKey.key.encrypt(bytes, padding: .PKCS1_OAEP_SHA256))
        case .agreement:
            let (ephemeral, secret) = try agreement(with: key)
            header["epk"] = ephemeral
            contentKey = secret.withUnsafeBytes {
                ConcatKDF.key(secret: $0, algorithm: CardAlgorithm.contentEncryption, bits: 256)
            }
        case .agreementAndWrap:
            let (ephemeral, secret) = try agreement(with: key)
            header["epk"] = ephemeral
            contentKey = SymmetricKey(size: .bits256)
            let wrapping = secret.withUnsafeBytes {
                ConcatKDF.key(secret: $0, algorithm: algorithm.rawValue, bits: 256)
            }
            encryptedKey = Array(try AES.KeyWrap.wrap(contentKey, using: wrapping))
        }
        let protected = Base64URL.encoded(JSONValue.object(header).encoded)
        let box = try AES.GCM.seal(content, using: contentKey, authenticating: Array(protected.utf8))
        let parts: [[UInt8]] = [encryptedKey, Array(box.nonce), Array(box.ciphertext), Array(box.tag)]
        return ([protected] + parts.map { Base64URL.encoded($0) }).joined(separator: ".")
    }

    private static var wrongAlgorithm: CardKeyProblem { CardKeyProblem("is for another algorithm") }

    private static func agreement(with key: CardPublicKey) throws -> (ephemeral: JSONValue, secret: SharedSecret) {
        switch key.material {
        case .p256(let publicKey):
            let own = P256.KeyAgreement.PrivateKey()
            return (ephemeralKey(.p256(own.publicKey)), try own.sharedSecretFromKeyAgreement(with: publicKey))
        case .x25519(let publicKey):
            let own = Curve25519.KeyAgreement.PrivateKey()
            return (ephemeralKey(.x25519(own.publicKey)), try own.sharedSecretFromKeyAgreement(with: publicKey))
        case .rsa: throw wrongAlgorithm
        }
    }

    private static func ephemeralKey(_ material: CardPublicKey.Material) -> JSONValue {
        .object(CardPublicKey(id: "", material).members)
    }
}

extension CardKey {
    /// A new one, with its thumbprint as its id.
    package static func generated(_ curve: CardCurve) -> CardKey {
        switch curve {
        case .p256: CardKey(.p256(P256.KeyAgreement.PrivateKey()))
        case .x25519: CardKey(.x25519(Curve25519.KeyAgreement.PrivateKey()))
        }
    }
}
