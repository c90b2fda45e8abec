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
