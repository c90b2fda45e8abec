import Glibc

/// An instant, in nanoseconds since 1970-01-01T00:00:00Z.
struct Timestamp: Hashable, Sendable {
    /// Nanoseconds since the epoch.
    var nanoseconds: Int64

    /// The machine's wall clock.
    static func wallClock() -> Timestamp {
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        return Timestamp(nanoseconds: Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec))
    }

    /// This instant moved by whole seconds.
    func adding(seconds: Int64) -> Timestamp {
        Timestamp(nanoseconds: nanoseconds + seconds * 1_000_000_000)
    }

    /// Whole seconds since the epoch, rounded down.
    var wholeSeconds: Int64 {
        let (quotient, remainder) = nanoseconds.quotientAndRemainder(dividingBy: 1_000_000_000)
        return remainder < 0 ? quotient - 1 : quotient
    }
}

extension Timestamp: Comparable {
    static func < (left: Timestamp, right: Timestamp) -> Bool {
        left.nanoseconds < right.nanoseconds
    }
}

extension Timestamp {
    /// How many digits of a second a text shows. The bank's POST answers have nanoseconds, its GET answers
    /// microseconds of the same instant (docs/correctness.md#two-precisions-of-time).
    enum Precision: Int, Sendable {
        case microseconds = 6
        case nanoseconds = 9
    }

    /// RFC 3339, UTC, for example `2030-01-31T23:59:59.000001Z`; digits beyond the precision are cut off.
    func rfc3339(_ precision: Precision) -> String {
        let time = CalendarTime(self)
        var text: [UInt8] = []
        text.reserveCapacity(30)
        text.appendDecimal(time.year, width: 4)
        text.append(UInt8(ascii: "-"))
        text.appendDecimal(time.month, width: 2)
        text.append(UInt8(ascii: "-"))
        text.appendDecimal(time.day, width: 2)
        text.append(UInt8(ascii: "T"))
        text.appendTimeOfDay(time)
        text.append(UInt8(ascii: "."))
        switch precision {
        case .microseconds: text.appendDecimal(time.nanosecond / 1_000, width: 6)
        case .nanoseconds: text.appendDecimal(time.nanosecond, width: 9)
        }
        text.append(UInt8(ascii: "Z"))
        return String(decoding: text, as: UTF8.self)
    }

    /// The `Date` header's form (RFC 9110, IMF-fixdate), for example `Sun, 06 Nov 1994 08:49:37 GMT`.
    var httpDate: String {
        let weekdays = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"]
        let months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
        let time = CalendarTime(self)
        var text: [UInt8] = []
        text.reserveCapacity(29)
        text.append(contentsOf: weekdays[time.weekday].utf8)
        text.append(contentsOf: ", ".utf8)
        text.appendDecimal(time.day, width: 2)
        text.append(UInt8(ascii: " "))
        text.append(contentsOf: months[time.month - 1].utf8)
        text.append(UInt8(ascii: " "))
        text.appendDecimal(time.year, width: 4)
        text.append(UInt8(ascii: " "))
        text.appendTimeOfDay(time)
        text.append(contentsOf: " GMT".utf8)
        return String(decoding: text, as: UTF8.self)
    }
}

extension [UInt8] {
    /// The decimal digits of a value that is not negative, zeros in front up to `width`.
    fileprivate mutating func appendDecimal(_ value: Int, width: Int) {
        let start = count
        var rest = value
        for _ in 0..<width {
            insert(UInt8(ascii: "0") + UInt8(rest % 10), at: start)
            rest /= 10
        }
    }

    fileprivate mutating func appendTimeOfDay(_ time: CalendarTime) {
        appendDecimal(time.hour, width: 2)
        append(UInt8(ascii: ":"))
        appendDecimal(time.minute, width: 2)
        append(UInt8(ascii: ":"))
        appendDecimal(time.second, width: 2)
    }
}

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
