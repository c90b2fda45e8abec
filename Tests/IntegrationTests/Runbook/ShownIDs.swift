/// The ids that a page shows, and what they are in this run: a page says one where it is first printed, and then uses it.
struct ShownIDs {
    private var actual: [String: String] = [:]
    private let addresses: [String: String]

    /// - Parameter addresses: those of the page, and those of this run.
    init(addresses: [String: String]) {
        self.addresses = addresses
    }

    /// A command as it is to be run. `nil` where it names an id that has not been shown before.
    func substituted(_ command: String) -> String? {
        var text = command
        for id in ShownLine.ids(in: command) {
            guard let real = actual[id] else { return nil }
            text = text.replacing(id, with: real)
        }
        for (shown, real) in addresses { text = text.replacing(shown, with: real) }
        return text
    }

    /// Whether this is what the page shows. Then its ids are known from now on.
    mutating func match(_ shown: [String], _ lines: [String]) -> Bool {
        let lines = lines.map { line in addresses.reduce(line) { $0.replacing($1.value, with: $1.key) } }
        guard let known = Self.matched(shown[...], lines[...], actual) else { return false }
        actual = known
        return true
    }

    private static func matched(
        _ shown: ArraySlice<String>,
        _ lines: ArraySlice<String>,
        _ ids: [String: String]
    ) -> [String: String]? {
        guard let first = shown.first else { return lines.isEmpty ? ids : nil }
        if first == "…" {
            for start in lines.startIndex...lines.endIndex {
                if let known = matched(shown.dropFirst(), lines[start...], ids) { return known }
            }
            return nil
        }
        var known = ids
        guard let line = lines.first, ShownLine(first).matches(line, &known) else { return nil }
        return matched(shown.dropFirst(), lines.dropFirst(), known)
    }
}
