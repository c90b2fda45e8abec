import Crypto

/// A keyed digest of what a command asks for: equal for the same command, different for a reused key
/// (docs/correctness.md#reused-key).
package struct Fingerprint: Hashable, Sendable {
    /// 32 bytes.
    package let bytes: [UInt8]
    /// What it was made with; `nil`: by a version that did not note it, over the CVV too.
    package let secretID: FingerprintSecretID?

    package init(bytes: [UInt8], secretID: FingerprintSecretID? = nil) {
        self.bytes = bytes
        self.secretID = secretID
    }
}

/// Names a secret without saying anything of it: the first eight bytes of a keyed digest.
package struct FingerprintSecretID: Hashable, Sendable {
    package let value: Int64

    package init(_ value: Int64) {
        self.value = value
    }
}

/// Makes fingerprints. Keyed, because a plain hash over a card number can be reversed by trying them all
/// (docs/correctness.md#reused-key).
package struct Fingerprinter: Sendable {
    private struct Secret: Sendable {
        let id: FingerprintSecretID
        let key: SymmetricKey

        init(_ bytes: [UInt8]) {
            key = SymmetricKey(data: bytes)
            let digest = HMAC<SHA256>.authenticationCode(for: Array("fingerprint.secret id".utf8), using: key)
            id = FingerprintSecretID(digest.prefix(8).reduce(0) { $0 << 8 | Int64($1) })
        }
    }

    private let current: Secret
    private let previous: [Secret]

    /// - Parameters:
    ///   - secret: `fingerprint.secret`; any length.
    ///   - previous: `fingerprint.previous-secrets`.
    package init(secret: [UInt8], previous: [[UInt8]] = []) {
        current = Secret(secret)
        self.previous = previous.map(Secret.init)
    }

    /// Covers the operation, the payment and the canonical parameters (docs/contract.md#order-of-checks), nothing that
    /// may differ between two deliveries of one command. Not the CVV: a digest of it must not rest anywhere.
    ///
    /// - Parameters:
    ///   - command: decoded and valid.
    ///   - resolvedAmount: in minor units, the payment's where the command names none; `nil` for a void.
    package func fingerprint(of command: Command, resolvedAmount: Int64?) -> Fingerprint {
        Self.fingerprint(of: command, resolvedAmount, current.key, current.id)
    }

    /// Whether a fingerprint that is stored is this command's, whichever of the secrets it was made with.
    package func recognizes(_ stored: Fingerprint, of command: Command, resolvedAmount: Int64?) -> Bool {
        for secret in [current] + previous where stored.secretID == nil || stored.secretID == secret.id {
            if Self.fingerprint(of: command, resolvedAmount, secret.key, stored.secretID) == stored { return true }
        }
        return false
    }

    private static func fingerprint(
        of command: Command,
        _ resolvedAmount: Int64?,
        _ key: SymmetricKey,
        _ id: FingerprintSecretID?
    ) -> Fingerprint {
        wipingStack { made(of: command, resolvedAmount, key, id) }
    }

    private static func made(
        of command: Command,
        _ resolvedAmount: Int64?,
        _ key: SymmetricKey,
        _ id: FingerprintSecretID?
    ) -> Fingerprint {
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
            fields.append(lengthPrefixed: parameters.card.numberDigits)
            if id == nil { fields.append(lengthPrefixed: parameters.card.cvvDigits) }
            add(String(parameters.card.expiryMonth))
            add(String(parameters.card.expiryYear))
        }
        return Fingerprint(bytes: Array(HMAC<SHA256>.authenticationCode(for: fields, using: key)), secretID: id)
    }

    /// A keyed digest of a list of fields, for what is distinguished by its content and may hold card data.
    package func digest(of fields: [[UInt8]]) -> [UInt8] { Self.digest(of: fields, current.key) }

    /// The same with each of the secrets before.
    package func previousDigests(of fields: [[UInt8]]) -> [[UInt8]] { previous.map { Self.digest(of: fields, $0.key) } }

    private static func digest(of fields: [[UInt8]], _ key: SymmetricKey) -> [UInt8] {
        var digest = HMAC<SHA256>(key: key)
        for field in fields {
            withUnsafeBytes(of: UInt32(truncatingIfNeeded: field.count).bigEndian) { digest.update(data: $0) }
            digest.update(data: field)
        }
        return Array(digest.finalize())
    }

    /// What the database remembers of the secret, so that a start with another one is noticed
    /// (docs/contract.md#configuration).
    package var checkValue: [UInt8] { Self.checkValue(current.key) }

    /// Those of the secrets before.
    package var previousCheckValues: [[UInt8]] { previous.map { Self.checkValue($0.key) } }

    private static func checkValue(_ key: SymmetricKey) -> [UInt8] {
        Array(HMAC<SHA256>.authenticationCode(for: Array("fingerprint.secret check".utf8), using: key))
    }
}

extension [UInt8] {
    /// The UTF-8 of a field behind its length in four bytes, big-endian, which keeps two lists of fields from running into the same
    /// bytes.
    mutating func append(lengthPrefixed field: String) {
        var field = field
        field.withUTF8 { append(lengthPrefixed: $0) }
    }

    mutating func append(lengthPrefixed field: some Collection<UInt8>) {
        Swift.withUnsafeBytes(of: UInt32(field.count).bigEndian) { append(contentsOf: $0) }
        append(contentsOf: field)
    }
}
