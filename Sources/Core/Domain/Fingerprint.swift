import Crypto

/// A keyed digest of what a command asks for: equal for the same command, different for a reused key
/// (docs/correctness.md#reused-key).
package struct Fingerprint: Hashable, Sendable {
    /// 32 bytes.
    package let bytes: [UInt8]

    package init(bytes: [UInt8]) {
        self.bytes = bytes
    }
}

/// Makes fingerprints. Keyed, because a plain hash over a card number can be reversed by trying them all
/// (docs/correctness.md#reused-key).
package struct Fingerprinter: Sendable {
    private let key: SymmetricKey

    /// - Parameter secret: `fingerprint.secret`; any length.
    package init(secret: [UInt8]) {
        key = SymmetricKey(data: secret)
    }

    /// Covers the operation, the payment and the canonical parameters (docs/contract.md#order-of-checks), nothing that
    /// may differ between two deliveries of one command.
    ///
    /// - Parameters:
    ///   - command: decoded and valid.
    ///   - resolvedAmount: in minor units, the payment's where the command names none; `nil` for a void.
    package func fingerprint(of command: Command, resolvedAmount: Int64?) -> Fingerprint {
        var fields: [UInt8] = []
        fields.reserveCapacity(240)
        func add(_ field: String) { fields.append(lengthPrefixed: field) }
        add(command.kind.rawValue)
        add(command.paymentID.description)
        add(resolvedAmount.map(String.init) ?? "")
        if case .authorize(let parameters) = command.parameters {
            add(parameters.orderID)
            add(parameters.customerID)
            add(parameters.amount.currency.rawValue)
            add(parameters.card.number)
            add(parameters.card.cvv)
            add(String(parameters.card.expiryMonth))
            add(String(parameters.card.expiryYear))
        }
        return Fingerprint(bytes: Array(HMAC<SHA256>.authenticationCode(for: fields, using: key)))
    }

    /// A keyed digest of a list of fields, for what is distinguished by its content and may hold card data.
    package func digest(of fields: [[UInt8]]) -> [UInt8] {
        var digest = HMAC<SHA256>(key: key)
        for field in fields {
            withUnsafeBytes(of: UInt32(truncatingIfNeeded: field.count).bigEndian) { digest.update(data: $0) }
            digest.update(data: field)
        }
        return Array(digest.finalize())
    }

    /// What the database remembers of the secret, so that a start with another one is noticed
    /// (docs/contract.md#configuration).
    package var checkValue: [UInt8] {
        Array(HMAC<SHA256>.authenticationCode(for: Array("fingerprint.secret check".utf8), using: key))
    }
}

extension [UInt8] {
    /// The UTF-8 of a field behind its length in four bytes, big-endian, which keeps two lists of fields from running into the same
    /// bytes.
    mutating func append(lengthPrefixed field: String) {
        var field = field
        field.withUTF8 { utf8 in
            Swift.withUnsafeBytes(of: UInt32(utf8.count).bigEndian) { append(contentsOf: $0) }
            append(contentsOf: utf8)
        }
    }
}
