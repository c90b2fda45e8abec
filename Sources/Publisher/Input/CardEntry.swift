/// A card as it was typed, not checked yet. Never printed.
struct CardEntry: Equatable {
    let number: String
    let cvv: String
    let expiry: CardExpiry

    init(number: String, cvv: String, expiry: CardExpiry) {
        self.number = number
        self.cvv = cvv
        self.expiry = expiry
    }

    /// From `number cvv mm/yyyy`, as it comes from standard input for `--card -`.
    init(line: String) throws(Failure) {
        let fields = line.split(whereSeparator: \.isWhitespace)
        guard fields.count == 3 else {
            throw Failure(
                .usage,
                "--card - wants one line 'number cvv mm/yyyy' on standard input; it had \(fields.count) of the 3 fields"
            )
        }
        self.init(
            number: String(fields[0]),
            cvv: String(fields[1]),
            expiry: try CardExpiry(String(fields[2]), source: "the expiry on standard input")
        )
    }
}

/// `mm/yyyy`.
struct CardExpiry: Equatable {
    let month: Int
    let year: Int

    /// The source is what the error calls it.
    init(_ text: String, source: String) throws(Failure) {
        let parts = text.split(separator: "/", omittingEmptySubsequences: false)
        guard parts.count == 2, (1...2).contains(parts[0].count), parts[1].count == 4,
            let month = UInt(parts[0]), let year = UInt(parts[1])
        else { throw Failure(.usage, "\(source) must be written mm/yyyy, such as 12/2030") }
        self.month = Int(month)
        self.year = Int(year)
    }
}

/// The check digit of card numbers (ISO/IEC 7812-1, annex B): it finds every single mistyped digit.
enum LuhnCheck {
    /// For ASCII digits.
    static func passes(_ number: String) -> Bool {
        var sum = 0
        for (position, byte) in number.utf8.reversed().enumerated() {
            let digit = Int(byte) - Int(UInt8(ascii: "0"))
            let weighted = position % 2 == 0 ? digit : digit * 2
            sum += weighted > 9 ? weighted - 9 : weighted
        }
        return sum % 10 == 0
    }
}

/// Takes card numbers out of a message that quotes what somebody typed (docs/correctness.md#no-card-data-at-rest).
enum CardNumberMask {
    /// The text with every run of 12 or more digits replaced, also where single blanks or dashes stand in it.
    static func masking(_ text: String) -> String {
        var output = ""
        var run = ""
        for character in text {
            if isDigit(character) || (!run.isEmpty && (character == " " || character == "-")) {
                run.append(character)
            } else {
                output += masked(run)
                output.append(character)
                run = ""
            }
        }
        return output + masked(run)
    }

    private static func masked(_ run: String) -> String {
        guard run.count(where: isDigit) >= 12 else { return run }
        let end = run.reversed().prefix { !isDigit($0) }
        return "[digits]" + String(end.reversed())
    }

    private static func isDigit(_ character: Character) -> Bool { character.isASCII && character.isNumber }
}
