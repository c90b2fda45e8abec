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
