package import Core
import Crypto
import Glibc

/// The identifiers that a publisher makes up.
package enum Identifier {
    /// A UUIDv7: ordered by time.
    package static func unique() -> UniqueID {
        var generator = SystemRandomNumberGenerator()
        let milliseconds = UInt64(max(SystemTime.now().microseconds, 0)) / 1_000
        return .version7(milliseconds: milliseconds, random: (generator.next(), generator.next()))
    }

    package static func idempotencyKey() -> String { "key-\(unique())" }

    /// The id of a new payment. With a key that the caller chose, and may send again, it has to be the same each time: a
    /// second id would make it another command, and `idempotency_key_reused` the answer. So it comes from the key then, as
    /// a UUIDv8 (RFC 9562 §5.8) of a SHA-256 over merchant and key.
    package static func paymentID(idempotencyKey: String?, merchantID: String?) -> String {
        guard let idempotencyKey else { return unique().description }
        let merchantID = merchantID ?? MerchantID.default.description
        var high: UInt64 = 0
        var low: UInt64 = 0
        let hash = SHA256.hash(data: Array("\(merchantID)\n\(idempotencyKey)".utf8))
        for (position, byte) in hash.prefix(16).enumerated() {
            if position < 8 { high = high << 8 | UInt64(byte) } else { low = low << 8 | UInt64(byte) }
        }
        let version: UInt64 = 0x8000
        let variant: UInt64 = 0x8000_0000_0000_0000
        return UniqueID(high: high & ~0xf000 | version, low: low & 0x3fff_ffff_ffff_ffff | variant).description
    }

    /// W3C trace context: the message begins a trace of its own id, sampled. (No further random words: each one is a
    /// system call.)
    package static func traceparent(of messageID: UniqueID) -> String {
        return String(unsafeUninitializedCapacity: 55) { buffer in
            var writer = HexWriter(buffer: buffer)
            writer.write(0, digits: 2, then: "-")
            writer.write(messageID.high, digits: 16)
            writer.write(messageID.low, digits: 16, then: "-")
            writer.write(messageID.low, digits: 16, then: "-")
            writer.write(1, digits: 2)
            return writer.count
        }
    }
}

private struct HexWriter {
    let buffer: UnsafeMutableBufferPointer<UInt8>
    private(set) var count = 0

    init(buffer: UnsafeMutableBufferPointer<UInt8>) {
        self.buffer = buffer
    }

    mutating func write(_ value: UInt64, digits: Int, then separator: Unicode.Scalar? = nil) {
        for position in (0..<digits).reversed() {
            let nibble = UInt8(truncatingIfNeeded: value >> UInt64(position * 4)) & 0x0f
            buffer[count] = nibble < 10 ? UInt8(ascii: "0") + nibble : UInt8(ascii: "a") + nibble - 10
            count += 1
        }
        if let separator {
            buffer[count] = UInt8(ascii: separator)
            count += 1
        }
    }
}

/// The clock of this machine.
package enum SystemTime {
    package static func now() -> Timestamp {
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        return Timestamp(microseconds: Int64(time.tv_sec) * 1_000_000 + Int64(time.tv_nsec) / 1_000)
    }
}
