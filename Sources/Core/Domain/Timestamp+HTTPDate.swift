extension Timestamp {
    private static let months = [
        "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
    ]

    /// Reads the date of an HTTP header (RFC 9110 §5.6.7), in the form that must be sent: `Sun, 06 Nov 1994 08:49:37 GMT`.
    /// `nil` for anything else.
    package init?(httpDate text: String) {
        let parts = text.split(separator: " ", omittingEmptySubsequences: false)
        guard parts.count == 6, parts[0].utf8.count == 4, parts[5] == "GMT", parts[1].utf8.count == 2,
            parts[3].utf8.count == 4, let day = Int(parts[1]), let year = Int(parts[3]), year >= 1970,
            let month = Self.months.firstIndex(of: String(parts[2])),
            (1...CivilDate.days(inMonth: month + 1, of: year)).contains(day)
        else { return nil }
        let time = parts[4].split(separator: ":", omittingEmptySubsequences: false).map { Int($0) ?? -1 }
        guard time.count == 3, parts[4].utf8.count == 8, (0..<24).contains(time[0]), (0..<60).contains(time[1]),
            (0...60).contains(time[2])
        else { return nil }
        let days = CivilDate(year: year, month: month + 1, day: day).daysSinceEpoch
        let seconds = days * 86_400 + time[0] * 3_600 + time[1] * 60 + min(time[2], 59)
        self.init(microseconds: Int64(seconds) * 1_000_000)
    }
}
