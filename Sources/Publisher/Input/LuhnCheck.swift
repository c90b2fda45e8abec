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
