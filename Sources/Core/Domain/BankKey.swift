import Crypto

/// The key that the bank knows an operation by: never the client's, and the same whenever the same command is sent.
///
/// It is derived from the command alone. A random key would be lost with its row when a database loses its last commits (failover
/// to a lagging standby, restore of a backup), and the command, sent once more under another key, would take effect twice.
package enum BankKey {
    /// Names the derivation, so that a later one can be distinguished from it.
    static let version = "pp1-"

    /// `pp1-` and base64url, without padding, of the SHA-256 digest over merchant id, idempotency key, operation and payment id,
    /// each as UTF-8 behind its length in four bytes, big-endian: 47 characters.
    package static func derived(
        merchantID: MerchantID,
        idempotencyKey: IdempotencyKey,
        kind: OperationKind,
        paymentID: PaymentID
    ) -> String {
        var fields: [UInt8] = []
        fields.reserveCapacity(160)
        for field in [merchantID.description, idempotencyKey.description, kind.rawValue, paymentID.description] {
            fields.append(lengthPrefixed: field)
        }
        return version + Base64URL.encoded(SHA256.hash(data: fields))
    }
}

/// Base64 with the URL and filename safe alphabet, without padding (RFC 4648 §5).
enum Base64URL {
    private static let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_".utf8)

    static func encoded(_ bytes: some Sequence<UInt8>) -> String {
        var text: [UInt8] = []
        text.reserveCapacity(43)
        var (bits, count): (UInt32, UInt32) = (0, 0)
        for byte in bytes {
            bits = bits << 8 | UInt32(byte)
            count += 8
            while count >= 6 {
                count -= 6
                text.append(alphabet[Int(bits >> count & 0x3f)])
            }
        }
        if count > 0 { text.append(alphabet[Int(bits << (6 - count) & 0x3f)]) }
        return String(decoding: text, as: UTF8.self)
    }
}
