/// Amounts for people.
enum MoneyText {
    /// `$50.00 (5000 minor units)`; of a currency whose minor unit is not known here, the minor units alone.
    static func of(minorUnits: Int64, currency: String) -> String {
        guard currency == "USD", minorUnits >= 0 else {
            return "\(minorUnits) minor units of \(PlainText.of(currency))"
        }
        let cents = minorUnits % 100
        return "$\(grouped(minorUnits / 100)).\(cents < 10 ? "0" : "")\(cents) (\(minorUnits) minor units)"
    }

    /// `12,345`.
    static func grouped(_ number: some BinaryInteger) -> String {
        let digits = Array(String(number))
        var output = ""
        for (index, digit) in digits.enumerated() {
            if index > 0, (digits.count - index) % 3 == 0 { output.append(",") }
            output.append(digit)
        }
        return output
    }
}
