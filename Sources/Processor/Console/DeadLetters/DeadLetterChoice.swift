import Core

/// What a person has chosen among the dead letters: by filters as on the command line, or one by one.
struct DeadLetterChoice: Sendable {
    let ids: [String]
    let input: DeadLetterFilterInput
    let limit: String?
    /// Without filters: whether all are meant.
    let isAll: Bool

    init(_ fields: FormFields) {
        ids = fields.all("id")
        input = DeadLetterFilterInput { fields[$0] }
        limit = fields["limit"]
        isAll = fields["all"] == "1"
    }

    init(_ input: DeadLetterFilterInput, isAll: Bool = false) {
        ids = []
        self.input = input
        limit = nil
        self.isAll = isAll
    }

    /// - Throws: where nothing is chosen, too: no filter must not mean all by itself.
    func selection() throws(InvalidField) -> DeadLetterSelection {
        guard ids.isEmpty else {
            var found: [DeadLetterID] = []
            for text in ids {
                guard let id = DeadLetterID(text) else { throw InvalidField("id", "is not a UUID") }
                found.append(id)
            }
            return .ids(found)
        }
        guard isAll || !input.isEmpty else { throw InvalidField("selection", "nothing is selected") }
        let number = try DeadLetterLimit.checked(limit.map { Int($0) ?? 0 }, atMost: DeadLetterLimit.action)
        return .matching(try input.filter(), limit: number)
    }

    /// As the admin API writes it down with a replay; `nil` where ids were chosen.
    var filterJSON: JSONValue? { ids.isEmpty ? input.json(limit: limit.flatMap { Int($0) }) : nil }

    /// Behind the question mark, or in hidden fields.
    var parameters: [(String, String?)] {
        ids.map { ("id", $0) } + input.parameters + [("limit", limit), ("all", isAll ? "1" : nil)]
    }

    /// On the command line.
    var words: [String?] {
        guard ids.isEmpty else { return ids }
        let filters = input.words + CommandText.option("--limit", limit)
        return input.isEmpty ? ["--all"] + filters : filters
    }
}

extension DeadLetterFilterInput {
    /// By the names of the admin API.
    var parameters: [(String, String?)] {
        [
            ("code", code), ("message", message), ("operation", operation), ("merchant", merchant),
            ("payment", payment), ("order", order), ("older_than", olderThan), ("newer_than", newerThan),
            ("state", state),
        ]
    }

    var words: [String?] {
        parameters.flatMap { name, value in CommandText.option("--\(name.replacing("_", with: "-"))", value) }
    }

    /// Only this cause.
    func of(_ group: DeadLetterGroup) -> DeadLetterFilterInput {
        var copy = self
        (copy.code, copy.message) = (group.code, group.message.isEmpty ? nil : group.message)
        return copy
    }

    /// Whether something of what matches can be replayed or discarded still.
    var isUnfinished: Bool { state == nil || state == "open" || state == "replaying" }
}
