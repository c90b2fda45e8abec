/// A UUID as the sixteen bytes that PostgreSQL keeps, ordered as PostgreSQL orders them.
package struct PostgresUUID: Sendable, Hashable, Comparable {
    /// The first eight bytes, the first of them most significant.
    package let high: UInt64
    /// The last eight bytes.
    package let low: UInt64

    package init(high: UInt64, low: UInt64) {
        self.high = high
        self.low = low
    }

    package static func < (left: PostgresUUID, right: PostgresUUID) -> Bool {
        left.high == right.high ? left.low < right.low : left.high < right.high
    }
}

extension PostgresUUID: CustomStringConvertible {
    /// Reads the canonical form, thirty-two digits in groups of 8-4-4-4-12, of either case. `nil` for any other text.
    package init?(_ text: some StringProtocol) {
        var words: (high: UInt64, low: UInt64) = (0, 0)
        var position = 0
        for byte in text.utf8 {
            if Self.isHyphen(at: position) {
                guard byte == UInt8(ascii: "-") else { return nil }
            } else {
                guard let digit = Self.digit(byte) else { return nil }
                if position < 18 {
                    words.high = words.high << 4 | digit
                } else {
                    words.low = words.low << 4 | digit
                }
            }
            position += 1
            guard position <= 36 else { return nil }
        }
        guard position == 36 else { return nil }
        self.init(high: words.high, low: words.low)
    }

    /// The canonical form, in lower case.
    package var description: String {
        String(unsafeUninitializedCapacity: 36) { buffer in
            var shift = 60
            var word = high
            for position in 0..<36 {
                guard !Self.isHyphen(at: position) else {
                    buffer[position] = UInt8(ascii: "-")
                    continue
                }
                let digit = UInt8(truncatingIfNeeded: word >> UInt64(shift)) & 0xF
                buffer[position] = digit < 10 ? UInt8(ascii: "0") + digit : UInt8(ascii: "a") + digit - 10
                if shift == 0 {
                    shift = 60
                    word = low
                } else {
                    shift -= 4
                }
            }
            return 36
        }
    }

    private static func isHyphen(at position: Int) -> Bool {
        position == 8 || position == 13 || position == 18 || position == 23
    }

    private static func digit(_ byte: UInt8) -> UInt64? {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): UInt64(byte - UInt8(ascii: "0"))
        case UInt8(ascii: "a")...UInt8(ascii: "f"): UInt64(byte - UInt8(ascii: "a") + 10)
        case UInt8(ascii: "A")...UInt8(ascii: "F"): UInt64(byte - UInt8(ascii: "A") + 10)
        default: nil
        }
    }
}
