import Core

/// A time for people: the day and the second, and how long ago.
struct TimeText: Hashable, Sendable {
    let iso: String
    let text: String
    let ago: String?

    init(_ at: Timestamp, now: Timestamp? = nil) {
        iso = at.description
        text = Self.second(at)
        ago = now.map { "\(AgeText.of(at.duration(to: $0))) ago" }
    }

    /// `2026-11-29 02:31:05`.
    static func second(_ at: Timestamp) -> String {
        String(at.description.prefix(19)).replacing("T", with: " ")
    }
}

enum AgeText {
    /// In the two largest units at most: `3 d 4 h`, `12 min`, `5 s`.
    static func of(_ duration: Duration) -> String {
        let seconds = max(duration.components.seconds, 0)
        let (minutes, hours, days) = (seconds / 60, seconds / 3_600, seconds / 86_400)
        if days > 0 { return pair(days, "d", hours % 24, "h") }
        if hours > 0 { return pair(hours, "h", minutes % 60, "min") }
        return minutes > 0 ? "\(minutes) min" : "\(seconds) s"
    }

    private static func pair(_ large: Int64, _ unit: String, _ small: Int64, _ smaller: String) -> String {
        small > 0 ? "\(large) \(unit) \(small) \(smaller)" : "\(large) \(unit)"
    }
}

enum CountText {
    /// With a comma between thousands.
    static func of(_ number: Int) -> String {
        var digits = String(number.magnitude)[...]
        var groups: [Substring] = []
        while digits.count > 3 {
            groups.insert(digits.suffix(3), at: 0)
            digits = digits.dropLast(3)
        }
        groups.insert(digits, at: 0)
        return (number < 0 ? "-" : "") + groups.joined(separator: ",")
    }

    /// For a badge.
    static func short(_ number: Int) -> String { number > 999 ? "999+" : "\(number)" }

    /// `1 dead letter`, `2 dead letters`.
    static func of(_ number: Int, _ one: String, _ many: String? = nil) -> String {
        "\(of(number)) \(number == 1 ? one : many ?? "\(one)s")"
    }
}

/// A command that does the same as a page, to be copied into a shell.
struct CommandText: Hashable, Sendable {
    let line: String

    /// - Parameter words: behind `processor`; what a shell would read otherwise is quoted.
    init(_ words: [String?]) {
        line = (["processor"] + words.compactMap(\.self).map(Self.quoted)).joined(separator: " ")
    }

    /// An option with its value; nothing where there is no value.
    static func option(_ name: String, _ value: String?) -> [String?] {
        guard let value, !value.isEmpty else { return [] }
        // What begins with a dash would be taken for another option.
        return value.hasPrefix("-") ? ["\(name)=\(value)"] : [name, value]
    }

    private static func quoted(_ word: String) -> String {
        let isPlain = word.unicodeScalars.allSatisfy { scalar in
            scalar.isASCII
                && (scalar.properties.isAlphabetic || scalar.properties.numericType != nil
                    || "-_./:=@,+".unicodeScalars.contains(scalar))
        }
        if isPlain, !word.isEmpty { return word }
        return "'" + word.replacing("'", with: #"'\''"#) + "'"
    }
}

/// A name and what it has.
struct Fact: Hashable, Sendable {
    let name: String
    let value: String
    let isID: Bool
    /// Where more of it is.
    let path: String?

    init(_ name: String, _ value: String, isID: Bool = false, path: String? = nil) {
        self.name = name
        self.value = value
        self.isID = isID
        self.path = path
    }

    /// Nothing where there is no value.
    static func optional(_ name: String, _ value: String?, isID: Bool = false, path: String? = nil) -> Fact? {
        value.map { Fact(name, $0, isID: isID, path: path) }
    }
}

/// A word of a list to choose from.
struct Choice: Hashable, Sendable {
    let name: String
    let isChosen: Bool

    static func of(_ names: [String], _ chosen: String?) -> [Choice] {
        names.map { Choice(name: $0, isChosen: $0 == chosen) }
    }
}

/// A field of a form.
struct TextField: Hashable, Sendable {
    let name: String
    let label: String
    let value: String
    let placeholder: String?
}
