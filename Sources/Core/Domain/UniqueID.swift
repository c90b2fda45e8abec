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
