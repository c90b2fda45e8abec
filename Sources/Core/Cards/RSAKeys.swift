package import CryptoExtras

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
