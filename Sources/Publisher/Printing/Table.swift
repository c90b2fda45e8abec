/// Names and values below each other, the values in one column.
struct Table {
    private var rows: [(name: String, value: String)] = []

    /// A row without a value is left out.
    mutating func add(_ name: String, _ value: String?) {
        if let value { rows.append((name, value)) }
    }

    /// Two columns, the names dimmed.
    func text(_ palette: Palette) -> String {
        let width = rows.map(\.name.count).max() ?? 0
        return rows.map { name, value in
            "  \(palette.dim(name))\(String(repeating: " ", count: width - name.count + 2))\(value)\n"
        }.joined()
    }
}
