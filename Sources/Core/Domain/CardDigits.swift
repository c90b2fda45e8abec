/// Keeps card numbers out of logs and dead letters even where a client has put one into an id of its own
/// (docs/correctness.md#no-card-data-at-rest).
package enum CardDigits {
    /// The text with the middle of every run of 12 to 19 digits that passes the Luhn check starred out.
    package static func masked(_ text: String) -> String {
        guard text.utf8.count >= 12 else { return text }
        var bytes = Array(text.utf8)
        var start = 0
        while start < bytes.count {
            let end = bytes[start...].firstIndex { !isDigit($0) } ?? bytes.count
            let run = start..<end
            if (12...19).contains(run.count), passesLuhn(bytes[run]) {
                for index in run.dropFirst(6).dropLast(4) { bytes[index] = UInt8(ascii: "*") }
            }
            start = end + 1
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    private static func isDigit(_ byte: UInt8) -> Bool {
        (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
    }

    private static func passesLuhn(_ digits: ArraySlice<UInt8>) -> Bool {
        let sum = digits.reversed().enumerated().reduce(0) { sum, element in
            let digit = Int(element.element - UInt8(ascii: "0"))
            guard element.offset % 2 == 1 else { return sum + digit }
            return sum + (digit > 4 ? digit * 2 - 9 : digit * 2)
        }
        return sum % 10 == 0
    }
}
