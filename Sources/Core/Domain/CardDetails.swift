import StackWipe

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

/// Keeps card numbers out of logs and dead letters even where somebody has put one into a text
/// (docs/correctness.md#no-card-data-at-rest). For what is not an id: one in ten of long decimal ids looks like a card
/// number, and an id must stay whole.
package enum CardDigits {
    /// The text with the middle of everything that looks like a card number starred out: 12 to 19 digits in one run, or
    /// 13 to 19 in groups with a space or a dash between them, that pass the Luhn check.
    package static func masked(_ text: String) -> String {
        guard text.utf8.count >= 12, text.utf8.count(where: isDigit) >= 12 else { return text }
        var bytes = Array(text.utf8)
        var groups: [Range<Int>] = []
        var start = 0
        while start < bytes.count {
            guard isDigit(bytes[start]) else {
                start += 1
                continue
            }
            let end = bytes[start...].firstIndex { !isDigit($0) } ?? bytes.count
            groups.append(start..<end)
            let isContinued = end + 1 < bytes.count && isSeparator(bytes[end]) && isDigit(bytes[end + 1])
            if !isContinued {
                mask(groups, &bytes)
                groups = []
            }
            start = end + 1
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    /// - Parameter groups: runs of digits with one separator between each two.
    private static func mask(_ groups: [Range<Int>], _ bytes: inout [UInt8]) {
        var first = 0
        while first < groups.count {
            if let last = end(of: groups, from: first, bytes) {
                star(groups[first...last].flatMap { $0 }, &bytes)
                first = last + 1
            } else {
                first += 1
            }
        }
    }

    /// The last of the groups that are one card number, the longest there is.
    private static func end(of groups: [Range<Int>], from first: Int, _ bytes: [UInt8]) -> Int? {
        var found: Int?
        var digits: [UInt8] = []
        for index in groups[first...].indices {
            let group = groups[index]
            digits += bytes[group]
            if digits.count > longest { break }
            guard index == first || group.count <= longestGroup && groups[first].count <= longestGroup else { break }
            if digits.count >= (index == first ? 12 : 13), passesLuhn(digits) { found = index }
        }
        return found
    }

    /// All but the first six and the last four digits.
    ///
    /// - Parameter digits: where they stand.
    static func star(_ digits: [Int], _ bytes: inout [UInt8]) {
        for index in digits.dropFirst(6).dropLast(4) { bytes[index] = UInt8(ascii: "*") }
    }

    private static let longest = 19
    /// Longer ones are no part of a number that is written in groups.
    private static let longestGroup = 8

    static func isDigit(_ byte: UInt8) -> Bool { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) }

    private static func isSeparator(_ byte: UInt8) -> Bool { byte == UInt8(ascii: " ") || byte == UInt8(ascii: "-") }

    private static func passesLuhn(_ digits: [UInt8]) -> Bool {
        let sum = digits.reversed().enumerated().reduce(0) { sum, element in
            let digit = Int(element.element - UInt8(ascii: "0"))
            guard element.offset % 2 == 1 else { return sum + digit }
            return sum + (digit > 4 ? digit * 2 - 9 : digit * 2)
        }
        return sum % 10 == 0
    }
}

/// Does work that has card data in clear in its hands, and then overwrites the stack and the registers that it has used
/// (docs/security.md#memory).
package func wipingStack<Value, Failure: Error>(_ work: () throws(Failure) -> Value) throws(Failure) -> Value {
    defer { stack_wipe() }
    return try apart(work)
}

/// On a part of the stack that lies below the caller's, whatever the optimizer puts together.
@inline(never)
private func apart<Value, Failure: Error>(_ work: () throws(Failure) -> Value) throws(Failure) -> Value { try work() }
