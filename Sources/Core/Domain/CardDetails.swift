/// What a card is charged with. It lives in memory from the decoder to the bank request and nowhere else: it is never
/// stored, and every way of printing it gives the redacted form (docs/correctness.md#no-card-data-at-rest).
package struct CardDetails: Hashable, Sendable {
    /// 12–19 ASCII digits.
    package let number: String
    /// 3–4 ASCII digits.
    package let cvv: String
    /// 1–12.
    package let expiryMonth: Int
    /// 2000–2099.
    package let expiryYear: Int

    package init?(number: String, cvv: String, expiryMonth: Int, expiryYear: Int) {
        guard Self.isNumber(number), Self.isCVV(cvv), Self.months.contains(expiryMonth), Self.years.contains(expiryYear)
        else { return nil }
        self.number = number
        self.cvv = cvv
        self.expiryMonth = expiryMonth
        self.expiryYear = expiryYear
    }

    package static let months = 1...12
    package static let years = 2000...2099

    /// BIN and last four, `411111******1111`: as much as may be shown.
    package var masked: String { Self.stars(number) }

    /// The same of a text; `nil` where it is no card number.
    package static func masked(_ text: String) -> String? { isNumber(text) || isMasked(text) ? stars(text) : nil }

    /// Whether it is what `masked` gives.
    private static func isMasked(_ text: String) -> Bool {
        let (bytes, star) = (Array(text.utf8), UInt8(ascii: "*"))
        guard (12...19).contains(bytes.count) else { return false }
        let shown = bytes.prefix(6) + bytes.suffix(4)
        return bytes.dropFirst(6).dropLast(4).allSatisfy { $0 == star }
            && isDigits(String(decoding: shown, as: UTF8.self), count: 10...10)
    }

    private static func stars(_ number: String) -> String {
        String(number.prefix(6)) + String(repeating: "*", count: number.utf8.count - 10) + String(number.suffix(4))
    }

    package static func isNumber(_ text: String) -> Bool { isDigits(text, count: 12...19) }

    package static func isCVV(_ text: String) -> Bool { isDigits(text, count: 3...4) }

    private static func isDigits(_ text: String, count: ClosedRange<Int>) -> Bool {
        count.contains(text.utf8.count)
            && text.utf8.allSatisfy { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }
    }
}

extension CardDetails: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    package var description: String { "card(redacted)" }
    package var debugDescription: String { description }
    package var customMirror: Mirror { Mirror(self, children: [(label: String?, value: Any)]()) }
}
