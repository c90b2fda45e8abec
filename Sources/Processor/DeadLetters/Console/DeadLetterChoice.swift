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

/// The page before an action: what is selected, what would be done, what would be skipped and why.
struct DeadLetterActionContent: Sendable {
    let title: String
    let selected: String
    let what: String
    let filters: Filters?
    let changed: String?
    let problem: String?
    let rehearsal: Rehearsal?
    let rehearse: String?
    let canAct: Bool
    let isReader: Bool
    let goTitle: String
    let action: String
    let form: String
    let count: Int
    let hidden: [Fact]
    let isReplay: Bool
    let rate: String
    let stopAtFailures: String
    let reason: String
    let button: String
    let back: String
    let commands: [CommandText]

    struct Filters: Sendable { let items: [Fact] }

    struct Rehearsal: Sendable {
        let done: String
        let verb: String
        let skipped: String
        let failed: String?
        let hasSkips: Bool
        let skips: [Skip]
        let isCut: Bool
        let stillOpen: String?
    }

    struct Skip: Sendable {
        let id: String
        let reason: String
    }

    init(
        _ action: DeadLetterService.Action,
        _ choice: DeadLetterChoice,
        count: Int,
        _ report: DeadLetterReport?,
        _ visit: ConsoleVisit,
        problem: String?,
        isChanged: Bool
    ) {
        isReplay = action == .replay
        title = isReplay ? "Replay dead letters" : "Discard dead letters"
        selected = count == 0 ? "No dead letter matches" : "\(CountText.of(count, "dead letter")) selected"
        what =
            isReplay
            ? "Each is published again under its own key. What has taken effect meanwhile is answered from the store, so "
                + "nothing is done twice. A processor does it in the background; it can be watched and stopped."
            : "They go off the list for good and stay in the database with who discarded them, and why. Nothing else "
                + "changes: an operation in review stays there."
        let facts = choice.parameters.compactMap { name, value in
            value.flatMap { name == "all" ? nil : Fact(name.replacing("_", with: " "), $0) }
        }
        filters = facts.isEmpty || facts.count > 12 ? nil : Filters(items: facts)
        changed = isChanged ? "The selection has changed since you saw it. This is how it is now." : nil
        self.problem = problem
        rehearsal = report.map { report in
            Rehearsal(
                done: CountText.of(report.done),
                verb: action == .replay ? "replayed" : "discarded",
                skipped: CountText.of(report.skipped),
                failed: report.failed > 0 ? CountText.of(report.failed) : nil,
                hasSkips: !report.skips.isEmpty,
                skips: report.skips.map { Skip(id: $0.id.description, reason: $0.reason) },
                isCut: report.skipped > report.skips.count,
                stillOpen: report.stillOpen > 0
                    ? "The operations of \(CountText.of(report.stillOpen)) would stay in review." : nil
            )
        }
        rehearse =
            report == nil && count > 0 && visit.session.canAct
            ? ConsolePath.link("\(DeadLetterPages.path)/\(action.rawValue)", choice.parameters + [("dry_run", "1")])
            : nil
        canAct = visit.session.canAct && count > 0
        isReader = !visit.session.canAct
        goTitle = isReplay ? "How fast" : "Why"
        self.action = "\(DeadLetterPages.path)/\(action.rawValue)"
        form = visit.session.formToken
        self.count = count
        hidden = choice.parameters.compactMap { name, value in value.map { Fact(name, $0) } }
        rate = visit.fields["rate"] ?? ""
        stopAtFailures = visit.fields["stop_at_failures"] ?? "\(ReplayPace.usualFailureShare)"
        reason = visit.fields["reason"] ?? ""
        button = "\(isReplay ? "Replay" : "Discard") \(CountText.of(count, "dead letter"))"
        back = ConsolePath.link(DeadLetterPages.path, choice.input.parameters)
        let words = ["dead-letters", action.rawValue] + choice.words
        let why: [String?] = isReplay ? [] : ["--reason", visit.fields["reason"] ?? "ticket 4711"]
        let pace = isReplay ? ReplayPace.words(rate: rate, stopAtFailures: stopAtFailures) : []
        commands = [
            CommandText(words + why + ["--dry-run"]), CommandText(words + why + ["--confirm", "\(count)"] + pace),
        ]
    }
}
