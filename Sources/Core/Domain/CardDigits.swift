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
