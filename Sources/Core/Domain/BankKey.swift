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
