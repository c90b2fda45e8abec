import Crypto
import CryptoExtras

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
