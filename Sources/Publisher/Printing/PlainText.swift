/// Text from elsewhere, made harmless for a terminal.
enum PlainText {
    /// Control characters, which could move the cursor or change its colour, become U+FFFD.
    static func of(_ text: String) -> String {
        var output = String.UnicodeScalarView()
        for scalar in text.unicodeScalars {
            let isControl = scalar.value < 0x20 || (0x7f...0x9f).contains(scalar.value)
            output.append(isControl ? "\u{fffd}" : scalar)
        }
        return String(output)
    }
}
