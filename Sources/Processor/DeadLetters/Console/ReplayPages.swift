import Core
import Hummingbird

/// Replays: rows in the database, so they outlive the page that ordered them, and the processor that runs them.
struct ReplayPages: Sendable {
    let console: Console

    func add(to router: Router<AdminContext>) {
        console.get("console/replays", on: router) { _, _ in try await list() }
        console.get("console/replays/:id", on: router) { visit, parameters in
            try await show(try Self.id(parameters), visit)
        }
        console.get("console/replays/:id/events", on: router) { _, parameters in
            let id = try Self.id(parameters)
            return .stream(ConsoleStream { try await progress(id) })
        }
        console.post("console/replays/:id/stop", on: router) { visit, parameters in
            let id = try Self.id(parameters)
            guard try await console.parts.deadLetters.replays.stopReplay(id, by: visit.session.name) != nil else {
                throw ConsoleFailure.notFound("replay")
            }
            return .seeOther("/console/replays/\(id)")
        }
    }

    private static func id(_ parameters: Parameters) throws -> ReplayID {
        guard let id = parameters.get("id").flatMap({ ReplayID($0) }) else { throw ConsoleFailure.notFound("replay") }
        return id
    }

    private func list() async throws -> ConsoleAnswer {
        let runs = try await console.parts.deadLetters.replays.replays(limit: 50)
        return .page(
            ConsolePage(
                title: "Replays",
                section: .deadLetters,
                template: "replays",
                content: ReplaysContent(runs, now: console.parts.time.now())
            )
        )
    }

    private func show(_ id: ReplayID, _ visit: ConsoleVisit) async throws -> ConsoleAnswer {
        guard let view = try await console.parts.deadLetters.replays.replayView(id) else {
            throw ConsoleFailure.notFound("replay")
        }
        return .page(
            ConsolePage(
                title: "Replay of dead letters",
                section: .deadLetters,
                template: "replay",
                content: ReplayContent(view, visit.session, now: console.parts.time.now())
            )
        )
    }

    private func progress(_ id: ReplayID) async throws -> (html: String, isLast: Bool) {
        guard let run = try await console.parts.deadLetters.replays.replay(id) else { return ("", true) }
        let content = ReplayContent(ReplayView(run: run, problems: []), nil, now: console.parts.time.now())
        return (console.renderer.fragment("replay-progress", content), run.state != .running)
    }
}

/// The list of replays.
struct ReplaysContent: Sendable {
    let hasRows: Bool
    let rows: [Row]
    let command = CommandText(["dead-letters", "replays", "list"])

    struct Row: Sendable {
        let id: String
        let at: TimeText
        let by: String
        let state: String
        let tone: String?
        let selected: String
        let replayed: String
        let skipped: String
        let failed: String
        let filter: String
    }

    init(_ runs: [ReplayRun], now: Timestamp) {
        hasRows = !runs.isEmpty
        rows = runs.map { run in
            Row(
                id: run.id.description,
                at: TimeText(run.createdAt, now: now),
                by: run.order.requestedBy,
                state: run.state.rawValue,
                tone: run.tone,
                selected: CountText.of(run.counts.selected),
                replayed: CountText.of(run.counts.replayed),
                skipped: CountText.of(run.counts.skipped),
                failed: CountText.of(run.counts.failed),
                filter: run.order.filterWords
            )
        }
    }
}

extension ReplayRun {
    fileprivate var tone: String? {
        switch state {
        case .running: "wait"
        case .finished: counts.failed > 0 ? "act" : "good"
        case .stopped: nil
        case .failed: "act"
        }
    }
}

extension ReplayOrder {
    /// The command that orders the same; `nil` where ids were chosen, which the order does not tell.
    fileprivate var words: [String?]? {
        guard case .object(let members)? = filter else { return nil }
        let filters = members.sorted { $0.key < $1.key }.flatMap { name, value -> [String?] in
            guard !value.isNull else { return [] }
            let text = value.string ?? String(decoding: value.encoded, as: UTF8.self)
            return CommandText.option("--\(name.replacing("_", with: "-"))", text)
        }
        let isEveryone = filters.isEmpty || filters.count == 2 && filters.first == "--limit"
        return ["dead-letters", "replay"] + (isEveryone ? ["--all"] : []) + filters
    }

    /// As it was given.
    fileprivate var filterWords: String {
        guard case .object(let members)? = filter else { return "chosen one by one" }
        let words = members.sorted { $0.key < $1.key }.compactMap { name, value -> String? in
            guard !value.isNull else { return nil }
            return "\(name.replacing("_", with: " ")) \(value.string ?? String(decoding: value.encoded, as: UTF8.self))"
        }
        return words.isEmpty ? "all" : words.joined(separator: ", ")
    }
}

/// One replay.
struct ReplayContent: Sendable {
    let id: String
    let said: String
    let state: String
    let tone: String?
    let isRunning: Bool
    let canAct: Bool
    let form: String
    let selected: Int
    let dealtWith: Int
    let replayed: String
    let skipped: String
    let failed: String
    let left: String
    let reason: String?
    let facts: [Fact]
    let hasProblems: Bool
    let problems: [Problem]
    let commands: [CommandText]

    struct Problem: Sendable {
        let id: String
        let result: String
        let reason: String
    }

    private static func pace(_ pace: ReplayPace) -> [String?] {
        ReplayPace.words(rate: pace.perSecond.map(String.init), stopAtFailures: "\(pace.failureShare)")
    }

    /// - Parameter session: `nil` where only the progress is shown.
    init(_ view: ReplayView, _ session: ConsoleSession?, now: Timestamp) {
        let (run, counts) = (view.run, view.run.counts)
        id = run.id.description
        state = run.state.rawValue
        tone = run.tone
        isRunning = run.state == .running
        canAct = session?.canAct ?? false
        form = session?.formToken ?? ""
        selected = counts.selected
        dealtWith = counts.replayed + counts.skipped + counts.failed
        replayed = CountText.of(counts.replayed)
        skipped = CountText.of(counts.skipped)
        failed = CountText.of(counts.failed)
        left = CountText.of(counts.selected - dealtWith)
        said = run.state == .running ? "" : "The replay is \(run.state.rawValue)."
        reason = run.reason
        let pace = run.order.pace
        let facts: [Fact?] = [
            Fact("Ordered by", run.order.requestedBy), Fact("Ordered", TimeText.second(run.createdAt)),
            Fact.optional("Ended", run.finishedAt.map(TimeText.second)), Fact.optional("Stopped by", run.stoppedBy),
            Fact("Filter", run.order.filterWords),
            Fact("At most", pace.perSecond.map { "\(CountText.of($0)) a second" } ?? "as fast as they are confirmed"),
            Fact("Stops at", "a share of \(pace.failureShare) failed"),
        ]
        self.facts = facts.compactMap(\.self)
        problems = view.problems.map { problem in
            Problem(id: problem.deadLetter.description, result: problem.result.rawValue, reason: problem.reason)
        }
        hasProblems = !problems.isEmpty
        commands =
            [CommandText(["dead-letters", "replays", "show", id])]
            + (isRunning ? [CommandText(["dead-letters", "replays", "stop", id])] : [])
            + (run.order.words.map { [CommandText($0 + ["--confirm", "\(counts.selected)"] + Self.pace(pace))] } ?? [])
    }
}
