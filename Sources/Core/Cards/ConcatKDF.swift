package import Crypto

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
