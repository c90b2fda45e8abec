import ConfigurationText

extension DotEnvFile {
    /// Names that look like keys of ours and are none: most likely misspelt, and without effect.
    var warnings: [String] {
        let known = Settings.all.map(\.variable) + Settings.all.filter(\.isSecret).map(\.fileVariable)
        let prefixes = Set(Settings.all.map { "\($0.group.uppercased())_" })
        return variables.keys.sorted()
            .filter { name in !known.contains(name) && prefixes.contains { name.hasPrefix($0) } }
            .map { name in
                let nearest = known.min { Self.distance($0, name) < Self.distance($1, name) }
                let hint = nearest.flatMap { Self.distance($0, name) <= 3 ? "; did you mean \($0)?" : nil } ?? ""
                return ".env: \(name) is not a key of the processor and has no effect\(hint)"
            }
    }

    /// How many single characters must be put in, taken out or replaced (Levenshtein).
    private static func distance(_ left: String, _ right: String) -> Int {
        let right = Array(right.utf8)
        var row = Array(0...right.count)
        for (i, a) in left.utf8.enumerated() {
            var diagonal = row[0]
            row[0] = i + 1
            for (j, b) in right.enumerated() {
                let replaced = diagonal + (a == b ? 0 : 1)
                diagonal = row[j + 1]
                row[j + 1] = min(replaced, row[j] + 1, row[j + 1] + 1)
            }
        }
        return row[right.count]
    }
}
