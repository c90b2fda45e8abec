package import Crypto
import CryptoExtras

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
