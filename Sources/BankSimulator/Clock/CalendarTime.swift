/// An instant taken apart into the fields of the proleptic Gregorian calendar, UTC.
struct CalendarTime: Equatable, Sendable {
    let year: Int
    /// 1 to 12.
    let month: Int
    /// 1 to 31.
    let day: Int
    let hour: Int
    let minute: Int
    let second: Int
    /// 0 to 999,999,999.
    let nanosecond: Int
    /// 0 is Sunday.
    let weekday: Int

    /// Days are counted in eras of 400 years that start on 1 March, so that the leap day is the last of a year
    /// (Howard Hinnant, "chrono-compatible low-level date algorithms", `civil_from_days`).
    init(_ timestamp: Timestamp) {
        let seconds = Int(timestamp.wholeSeconds)
        let days = seconds >= 0 ? seconds / 86_400 : (seconds - 86_399) / 86_400
        let secondOfDay = seconds - days * 86_400

        let shifted = days + 719_468
        let era = (shifted >= 0 ? shifted : shifted - 146_096) / 146_097
        let dayOfEra = shifted - era * 146_097
        let yearOfEra = (dayOfEra - dayOfEra / 1_460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let monthFromMarch = (5 * dayOfYear + 2) / 153

        day = dayOfYear - (153 * monthFromMarch + 2) / 5 + 1
        month = monthFromMarch < 10 ? monthFromMarch + 3 : monthFromMarch - 9
        year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0)
        hour = secondOfDay / 3_600
        minute = secondOfDay / 60 % 60
        second = secondOfDay % 60
        nanosecond = Int(timestamp.nanoseconds - timestamp.wholeSeconds * 1_000_000_000)
        weekday = ((days + 4) % 7 + 7) % 7
    }
}
