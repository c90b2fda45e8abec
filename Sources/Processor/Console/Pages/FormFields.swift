/// What a form has sent, by post or behind the question mark: as forms write it, `+` is a space.
struct FormFields: Sendable {
    private let values: [String: [String]]

    /// - Returns: `nil` where it is no percent-encoded UTF-8.
    init?(_ encoded: some StringProtocol) {
        var values: [String: [String]] = [:]
        for pair in encoded.split(separator: "&") {
            let parts = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            guard let name = QueryParameters.decoded(Substring(parts[0])),
                let value = QueryParameters.decoded(Substring(parts.count == 2 ? parts[1] : ""))
            else { return nil }
            values[name, default: []].append(value)
        }
        self.values = values
    }

    static let none = FormFields([:])

    private init(_ values: [String: [String]]) { self.values = values }

    /// Without the blanks around it, which a paste brings along; `nil` where nothing was entered, or more than once.
    subscript(name: String) -> String? {
        guard let all = values[name], all.count == 1 else { return nil }
        let text = all[0].trimmingBlanks
        return text.isEmpty ? nil : text
    }

    func all(_ name: String) -> [String] { values[name] ?? [] }
}

extension String {
    var trimmingBlanks: String {
        var rest = self[...]
        while rest.first?.isWhitespace == true { rest.removeFirst() }
        while rest.last?.isWhitespace == true { rest.removeLast() }
        return String(rest)
    }
}
