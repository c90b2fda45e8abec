import Crypto

/// Names a payment. Made by the publisher (docs/contract.md#commands), so that a client that lost every answer still
/// knows what to ask for.
package struct PaymentID: Hashable, Comparable, Sendable, CustomStringConvertible {
    package let value: UniqueID

    package init(_ value: UniqueID) {
        self.value = value
    }

    package init?(_ text: String) {
        guard let value = UniqueID(text) else { return nil }
        self.value = value
    }

    package var description: String { value.description }

    package static func < (left: PaymentID, right: PaymentID) -> Bool { left.value < right.value }
}

/// Names one operation on a payment. Ours, a UUIDv7.
package struct OperationID: Hashable, Sendable, CustomStringConvertible {
    package let value: UniqueID

    package init(_ value: UniqueID) {
        self.value = value
    }

    package var description: String { value.description }
}

/// Names one attempt to claim, so that a claim whose COMMIT was not answered can be recognised as our own
/// (docs/correctness.md#unknown-commit).
package struct ClaimToken: Hashable, Sendable {
    package let value: UniqueID

    package init(_ value: UniqueID) {
        self.value = value
    }
}

/// A 128-bit identifier in the text form of RFC 9562 (UUID), kept as two words: cheap to hash, compare and send in binary.
package struct UniqueID: Hashable, Comparable, Sendable {
    package let high: UInt64
    package let low: UInt64

    package init(high: UInt64, low: UInt64) {
        self.high = high
        self.low = low
    }

    /// A version 7 identifier (RFC 9562 §5.7): ordered by time, so that indexes grow at their right edge.
    ///
    /// - Parameters:
    ///   - milliseconds: since the Unix epoch; 48 bits are kept.
    ///   - random: 74 of these 128 bits are kept.
    package static func version7(milliseconds: UInt64, random: (UInt64, UInt64)) -> UniqueID {
        UniqueID(
            high: milliseconds << 16 | 0x7000 | random.0 & 0x0fff,
            low: 0x8000_0000_0000_0000 | random.1 & 0x3fff_ffff_ffff_ffff
        )
    }

    package static func < (left: UniqueID, right: UniqueID) -> Bool {
        (left.high, left.low) < (right.high, right.low)
    }
}

extension UniqueID: LosslessStringConvertible {
    /// Exactly the 36-character form, in either case; `nil` for anything else.
    package init?(_ text: some StringProtocol) {
        var words: (high: UInt64, low: UInt64) = (0, 0)
        var position = 0
        var digits = 0
        for byte in text.utf8 {
            defer { position += 1 }
            if position == 8 || position == 13 || position == 18 || position == 23 {
                guard byte == UInt8(ascii: "-") else { return nil }
                continue
            }
            guard position < 36, let nibble = Hex.value(of: byte) else { return nil }
            if digits < 16 {
                words.high = words.high << 4 | UInt64(nibble)
            } else {
                words.low = words.low << 4 | UInt64(nibble)
            }
            digits += 1
        }
        guard position == 36 else { return nil }
        self.init(high: words.high, low: words.low)
    }

    package init?(_ description: String) {
        self.init(description[...])
    }

    /// Lower case, with dashes.
    package var description: String {
        String(unsafeUninitializedCapacity: Self.length) { buffer in
            write(to: buffer.baseAddress)
            return Self.length
        }
    }

    private static let length = 36

    /// Appends its description.
    func appendText(to bytes: inout [UInt8]) {
        withUnsafeTemporaryAllocation(of: UInt8.self, capacity: Self.length) { buffer in
            write(to: buffer.baseAddress)
            bytes.append(contentsOf: buffer)
        }
    }

    /// - Parameter text: room for 36 bytes.
    private func write(to text: UnsafeMutablePointer<UInt8>?) {
        guard let text else { return }
        var position = 0
        for index in 0..<32 {
            if position == 8 || position == 13 || position == 18 || position == 23 {
                text[position] = UInt8(ascii: "-")
                position += 1
            }
            let word = index < 16 ? high : low
            text[position] = Hex.digit(of: UInt8(truncatingIfNeeded: word >> UInt64(60 - index % 16 * 4)) & 0x0f)
            position += 1
        }
    }
}

/// Who owns a payment: 1–64 characters of `[A-Za-z0-9._-]` (docs/contract.md#commands).
package struct MerchantID: Hashable, Comparable, Sendable, CustomStringConvertible {
    /// Where a command names no merchant.
    package static let `default` = MerchantID(verified: "default")

    package let description: String

    package init?(_ text: String) {
        guard (1...64).contains(text.utf8.count), text.utf8.allSatisfy(Self.isAllowed) else { return nil }
        description = text
    }

    /// - Parameter text: read back from the store, which only holds what passed the check on its way in.
    package init(verified text: String) {
        description = text
    }

    package static func < (left: MerchantID, right: MerchantID) -> Bool { left.description < right.description }

    private static func isAllowed(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "."), UInt8(ascii: "_"), UInt8(ascii: "-"):
            true
        default: false
        }
    }
}

/// The client's key: 1–255 characters without control characters, unique per merchant over all operations
/// (docs/contract.md#commands).
package struct IdempotencyKey: Hashable, Comparable, Sendable, CustomStringConvertible {
    package let description: String

    package init?(_ text: String) {
        guard TextRule.holds(text, length: 1...255) else { return nil }
        description = text
    }

    /// - Parameter text: read back from the store, which only holds what passed the check on its way in.
    package init(verified text: String) {
        description = text
    }

    /// Byte by byte, as the database compares: two keys that Unicode calls equivalent are two keys.
    package static func == (left: IdempotencyKey, right: IdempotencyKey) -> Bool {
        left.description.utf8.elementsEqual(right.description.utf8)
    }

    package static func < (left: IdempotencyKey, right: IdempotencyKey) -> Bool {
        left.description.utf8.lexicographicallyPrecedes(right.description.utf8)
    }
}

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

/// The rule of every free text in a command: a length in Unicode scalars and no control characters
/// (docs/contract.md#commands).
enum TextRule {
    static func holds(_ text: String, length: ClosedRange<Int>) -> Bool {
        var count = 0
        for scalar in text.unicodeScalars {
            if isControl(scalar) { return false }
            count += 1
        }
        return length.contains(count)
    }

    /// General category Cc: C0, DEL and C1.
    private static func isControl(_ scalar: Unicode.Scalar) -> Bool {
        scalar.value < 0x20 || (0x7f...0x9f).contains(scalar.value)
    }
}
