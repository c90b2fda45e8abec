/// What names a column of a row: its position (from 0), or its name, which is looked for each time.
package protocol PostgresColumnReference: Sendable {
    func position(in names: [String]) -> Int?
    /// For error messages.
    func label(in names: [String]) -> String
}

extension Int: PostgresColumnReference {
    package func position(in names: [String]) -> Int? {
        names.indices.contains(self) ? self : nil
    }

    package func label(in names: [String]) -> String {
        names.indices.contains(self) ? names[self] : "\(self)"
    }
}

extension String: PostgresColumnReference {
    package func position(in names: [String]) -> Int? {
        names.firstIndex(of: self)
    }

    package func label(in names: [String]) -> String { self }
}
