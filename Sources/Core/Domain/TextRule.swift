/// The rule of every free text in a command: a length in Unicode scalars and no control characters
/// (docs/contract.md#commands).
enum TextRule {
    static func holds(_ text: String, length: ClosedRange<Int>) -> Bool {
        var count = 0
        for scalar in text.unicodeScalars {
            if isControl(scalar) { return false }
            count += 1
        }
        return length.contains(count)
    }

    /// General category Cc: C0, DEL and C1.
    private static func isControl(_ scalar: Unicode.Scalar) -> Bool {
        scalar.value < 0x20 || (0x7f...0x9f).contains(scalar.value)
    }
}
