/// What a card is charged with. It lives in memory from the decoder to the bank request and nowhere else: it is never
/// stored, and every way of printing it gives the redacted form (docs/correctness.md#no-card-data-at-rest).
package struct CardDetails: Hashable, Sendable {
    private let secret: Secret
    /// 1–12.
    package let expiryMonth: Int
    /// 2000–2099.
    package let expiryYear: Int

    package init?(number: String, cvv: String, expiryMonth: Int, expiryYear: Int) {
        guard Self.isNumber(number), Self.isCVV(cvv), Self.months.contains(expiryMonth), Self.years.contains(expiryYear)
        else { return nil }
        secret = Secret(number: Array(number.utf8), cvv: Array(cvv.utf8))
        self.expiryMonth = expiryMonth
        self.expiryYear = expiryYear
    }

    /// 12–19 ASCII digits. What makes a text of them leaves digits on the stack: see `wipingStack`.
    package var numberDigits: [UInt8] { secret.number }
    /// 3–4 ASCII digits.
    package var cvvDigits: [UInt8] { secret.cvv }

    package var number: String { String(decoding: secret.number, as: UTF8.self) }
    package var cvv: String { String(decoding: secret.cvv, as: UTF8.self) }

    /// In memory of its own, so that a card that is passed on leaves no digits behind on the stack, as short texts do. Memory that is
    /// freed is overwritten (docs/security.md#memory).
    private final class Secret: Hashable, Sendable {
        let number: [UInt8]
        let cvv: [UInt8]

        init(number: [UInt8], cvv: [UInt8]) {
            self.number = number
            self.cvv = cvv
        }

        static func == (left: Secret, right: Secret) -> Bool {
            wipingStack { left.number == right.number && left.cvv == right.cvv }
        }

        func hash(into hasher: inout Hasher) {
            hasher.combine(number)
            hasher.combine(cvv)
        }
    }

    package static let months = 1...12
    package static let years = 2000...2099

    /// BIN and last four, `411111******1111`: as much as may be shown.
    package var masked: String { wipingStack { Self.stars(number) } }

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
