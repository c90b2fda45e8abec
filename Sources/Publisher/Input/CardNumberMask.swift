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
