import Core

/// What only a browser that was given it knows: 256 random bits.
enum ConsoleSecret {
    static func make(_ random: any RandomSource = SystemRandom()) -> String {
        (0..<4).map { _ in
            let digits = String(random.next(), radix: 16)
            return String(repeating: "0", count: 16 - digits.count) + digits
        }
        .joined()
    }

    /// In a time that does not depend on how much of it is right.
    static func matches(_ sent: String?, _ expected: String) -> Bool {
        guard let sent, sent.utf8.count == expected.utf8.count, !expected.isEmpty else { return false }
        var difference: UInt8 = 0
        for (left, right) in zip(sent.utf8, expected.utf8) { difference |= left ^ right }
        return difference == 0
    }
}
