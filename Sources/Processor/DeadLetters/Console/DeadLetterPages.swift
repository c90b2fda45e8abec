import Core
import Hummingbird

/// Dead letters: by cause, one by one, and one of them with all that was done with it.
struct DeadLetterPages: Sendable {
    let console: Console

    static let path = "/console/dead-letters"
    private static let pageSize = 50
    private static let mostGroups = 100

    func add(to router: Router<AdminContext>) {
        console.get("console/dead-letters", on: router) { visit, _ in try await list(visit) }
        console.get("console/dead-letters/:id", on: router) { visit, parameters in
            try await show(parameters.get("id") ?? "", visit)
        }
    }

    private func list(_ visit: ConsoleVisit) async throws -> ConsoleAnswer {
        let input = DeadLetterFilterInput { visit.fields[$0] }
        let content: DeadLettersContent
        do {
            let filter = try input.page(after: visit.fields["cursor"])
            var ofGroups = filter
            ofGroups.before = nil
            let page = try await console.parts.deadLetters.queries.page(filter, limit: Self.pageSize)
            let groups = try await console.parts.reading.groups(ofGroups, limit: Self.mostGroups + 1)
            content = DeadLettersContent(
                input,
                page,
                Array(groups.prefix(Self.mostGroups)),
                isCut: groups.count > Self.mostGroups,
                canAct: visit.session.canAct,
                now: console.parts.time.now()
            )
        } catch let problem as InvalidField {
            content = DeadLettersContent(input, problem: "\(problem).")
        }
        return .page(
            ConsolePage(title: "Dead letters", section: .deadLetters, template: "dead-letters", content: content)
        )
    }

    private func show(_ text: String, _ visit: ConsoleVisit) async throws -> ConsoleAnswer {
        guard let id = DeadLetterID(text), let view = try await console.parts.deadLetters.queries.deadLetter(id) else {
            throw ConsoleFailure.notFound("dead letter")
        }
        return .page(
            ConsolePage(
                title: "Dead letter: \(view.deadLetter.failure.code)",
                section: .deadLetters,
                template: "dead-letter",
                content: DeadLetterContent(view, canAct: visit.session.canAct, now: console.parts.time.now())
            )
        )
    }
}

/// The page of the lists.
struct DeadLettersContent: Sendable {
    let codes: [Choice]
    let states: [Choice]
    let kinds: [Choice]
    let fields: [TextField]
    let problem: String?
    let total: String
    let groups: [Group]
    let hasGroups: Bool
    let isCut: Bool
    let groupLimit: Int
    let all: All?
    let rows: [Row]
    let hasRows: Bool
    let canAct: Bool
    let next: String?
    let commands: [CommandText]

    struct Group: Sendable {
        let count: String
        let code: String
        let message: String
        let oldest: TimeText
        let newest: TimeText
        let path: String
        let replay: String?
        let discard: String
    }

    struct All: Sendable {
        let count: String
        let replay: String
        let discard: String
    }

    struct Row: Sendable {
        let id: String
        let at: TimeText
        let code: String
        let state: String
        let note: String?
        let kind: String
        let message: String
        let payment: String?
    }

    private static let texts: [(String, String, String?)] = [
        ("message", "Message, exactly", nil), ("merchant", "Merchant", nil), ("payment", "Payment", nil),
        ("order", "Order of the payment", nil), ("older_than", "Older than", "15m"),
        ("newer_than", "Newer than", "24h"),
    ]

    init(_ input: DeadLetterFilterInput, problem: String) {
        self.init(input, problem: problem, [], [], isCut: false, canAct: false, next: nil, now: nil)
    }

    init(
        _ input: DeadLetterFilterInput,
        _ page: DeadLetterPage,
        _ groups: [DeadLetterGroup],
        isCut: Bool,
        canAct: Bool,
        now: Timestamp
    ) {
        let next = page.next.map { cursor in
            ConsolePath.link(DeadLetterPages.path, input.parameters + [("cursor", cursor.description)])
        }
        self.init(
            input,
            problem: nil,
            page.deadLetters,
            groups,
            isCut: isCut,
            canAct: canAct && input.isUnfinished,
            next: next,
            now: now
        )
    }

    private init(
        _ input: DeadLetterFilterInput,
        problem: String?,
        _ deadLetters: [DeadLetter],
        _ groups: [DeadLetterGroup],
        isCut: Bool,
        canAct: Bool,
        next: String?,
        now: Timestamp?
    ) {
        codes = Choice.of(DeadLetterCode.allCases.map(\.rawValue), input.code)
        states = Choice.of(DeadLetterState.allCases.map(\.rawValue) + ["all"], input.state)
        kinds = Choice.of(OperationKind.allCases.map(\.rawValue), input.operation)
        let values = Dictionary(uniqueKeysWithValues: input.parameters)
        fields = Self.texts.map { name, label, placeholder in
            TextField(name: name, label: label, value: (values[name] ?? nil) ?? "", placeholder: placeholder)
        }
        self.problem = problem
        self.canAct = canAct
        self.isCut = isCut
        self.next = next
        groupLimit = groups.count
        let count = groups.reduce(0) { $0 + $1.count }
        total = isCut ? "more than \(CountText.of(count, "dead letter"))" : CountText.of(count, "dead letter")
        hasGroups = !groups.isEmpty
        self.groups = groups.map { group in
            let own = input.of(group)
            let choice = DeadLetterChoice(own)
            return Group(
                count: CountText.of(group.count),
                code: group.code,
                message: group.message,
                oldest: TimeText(group.oldest, now: now),
                newest: TimeText(group.newest, now: now),
                path: ConsolePath.link(DeadLetterPages.path, own.parameters),
                replay: canAct ? DeadLetterActionPages.path(.replay, choice) : nil,
                discard: DeadLetterActionPages.path(.discard, choice)
            )
        }
        let choice = DeadLetterChoice(input, isAll: input.isEmpty)
        all =
            canAct && count > 0
            ? All(
                count: CountText.of(count),
                replay: DeadLetterActionPages.path(.replay, choice),
                discard: DeadLetterActionPages.path(.discard, choice)
            ) : nil
        hasRows = !deadLetters.isEmpty
        rows = deadLetters.map { deadLetter in
            Row(
                id: deadLetter.id.description,
                at: TimeText(deadLetter.failure.at, now: now),
                code: deadLetter.failure.code,
                state: deadLetter.state.rawValue,
                note: deadLetter.content.isReplayable || deadLetter.state.isClosed ? nil : "not replayable",
                kind: deadLetter.command.kind?.rawValue ?? "",
                message: deadLetter.failure.message,
                payment: deadLetter.command.paymentID?.description
            )
        }
        commands = [
            CommandText(["dead-letters", "list"] + input.words), CommandText(["dead-letters", "stats"]),
        ]
    }
}
