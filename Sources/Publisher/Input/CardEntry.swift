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
