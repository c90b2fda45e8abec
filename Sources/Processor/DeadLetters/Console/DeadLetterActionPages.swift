import Core
import HTTPTypes
import Hummingbird

/// Replays and discards: first a page with what would be done, then the action, by the code of the admin API.
struct DeadLetterActionPages: Sendable {
    let console: Console

    /// With more, a dry run is asked for by a link of its own.
    private static let mostAtOnce = 200

    static func path(_ action: DeadLetterService.Action, _ choice: DeadLetterChoice) -> String {
        ConsolePath.link("\(DeadLetterPages.path)/\(action.rawValue)", choice.parameters)
    }

    func add(to router: Router<AdminContext>) {
        console.get("console/dead-letters/replay", on: router) { visit, _ in try await ask(.replay, visit) }
        console.get("console/dead-letters/discard", on: router) { visit, _ in try await ask(.discard, visit) }
        console.post("console/dead-letters/replay", on: router) { visit, _ in try await replay(visit) }
        console.post("console/dead-letters/discard", on: router) { visit, _ in try await discard(visit) }
    }

    private func ask(_ action: DeadLetterService.Action, _ visit: ConsoleVisit) async throws -> ConsoleAnswer {
        // Of many it decides one by one: that is work, not looking.
        guard visit.session.canAct || visit.fields["dry_run"] == nil else { throw ConsoleFailure.readOnly }
        let choice = DeadLetterChoice(visit.fields)
        let frozen = try await frozen(choice, action)
        return .page(try await page(action, choice, frozen, visit))
    }

    private func replay(_ visit: ConsoleVisit) async throws -> ConsoleAnswer {
        let choice = DeadLetterChoice(visit.fields)
        let frozen = try await frozen(choice, .replay)
        let pace: ReplayPace
        do {
            pace = try ReplayPace(visit.fields)
        } catch {
            return .page(try await page(.replay, choice, frozen, visit, problem: "\(error)."))
        }
        guard isConfirmed(frozen, visit) else {
            return .page(try await page(.replay, choice, frozen, visit, isChanged: true))
        }
        let run = try await console.parts.deadLetters.order(
            frozen.ids,
            ReplayOrder(requestedBy: visit.session.name, filter: choice.filterJSON, pace: pace)
        )
        await console.overview.forget()
        return .seeOther("/console/replays/\(run.id)")
    }

    private func discard(_ visit: ConsoleVisit) async throws -> ConsoleAnswer {
        let choice = DeadLetterChoice(visit.fields)
        let frozen = try await frozen(choice, .discard)
        guard let reason = visit.fields["reason"], DeadLetterOrder.isText(reason, length: 1...1_000) else {
            let problem = "The reason must be 1 to 1000 printable characters, on one line."
            return .page(try await page(.discard, choice, frozen, visit, problem: problem))
        }
        guard isConfirmed(frozen, visit) else {
            return .page(try await page(.discard, choice, frozen, visit, isChanged: true))
        }
        let (service, ids, actor) = (console.parts.deadLetters, frozen.ids, visit.session.name)
        let line = CommandText(
            ["dead-letters", "discard"] + choice.words + ["--confirm", "\(ids.count)", "--reason", reason]
        )
        let item = console.work.start(
            ConsoleWork.Order(
                title: "Discarding \(CountText.of(ids.count, "dead letter"))",
                by: actor,
                total: ids.count,
                back: DeadLetterPages.path,
                backText: "Dead letters",
                command: line
            )
        ) { item in
            await DiscardWork(service: service, ids: ids, actor: actor, reason: reason).run(item)
        }
        await console.overview.forget()
        guard let item else { throw ConsoleWork.isFull }
        return .seeOther(item.path)
    }

    private func frozen(
        _ choice: DeadLetterChoice,
        _ action: DeadLetterService.Action
    ) async throws -> FrozenSelection {
        let frozen = try await console.parts.deadLetters.freeze(try choice.selection(), for: action)
        guard frozen.missing.isEmpty else { throw ConsoleFailure.notFound("dead letter") }
        return frozen
    }

    /// What was agreed to is as many as there are.
    private func isConfirmed(_ frozen: FrozenSelection, _ visit: ConsoleVisit) -> Bool {
        !frozen.ids.isEmpty && visit.fields["confirm"] == "\(frozen.ids.count)"
    }

    private func page(
        _ action: DeadLetterService.Action,
        _ choice: DeadLetterChoice,
        _ frozen: FrozenSelection,
        _ visit: ConsoleVisit,
        problem: String? = nil,
        isChanged: Bool = false
    ) async throws -> ConsolePage {
        let isRehearsed = frozen.ids.count <= Self.mostAtOnce || visit.fields["dry_run"] == "1"
        let report =
            isRehearsed && problem == nil
            ? try await console.parts.deadLetters.rehearse(frozen.ids, action) : nil
        return ConsolePage(
            title: action == .replay ? "Replay dead letters" : "Discard dead letters",
            section: .deadLetters,
            template: "dead-letter-action",
            content: DeadLetterActionContent(
                action,
                choice,
                count: frozen.ids.count,
                report,
                visit,
                problem: problem,
                isChanged: isChanged
            ),
            status: problem == nil ? (isChanged ? .conflict : .ok) : .badRequest
        )
    }
}

extension ReplayPace {
    /// As options of `dead-letters replay`.
    static func words(rate: String?, stopAtFailures: String) -> [String?] {
        CommandText.option("--rate", rate) + CommandText.option("--stop-at-failures", stopAtFailures)
    }

    fileprivate init(_ fields: FormFields) throws(InvalidField) {
        let rate = fields["rate"].map { Int($0) ?? 0 }
        guard rate.map(Self.rates.contains) ?? true else {
            throw InvalidField("rate", "must be an integer from 1 to \(Self.rates.upperBound)")
        }
        let share = fields["stop_at_failures"].map { Double($0) ?? -1 } ?? Self.usualFailureShare
        guard (0...1).contains(share) else { throw InvalidField("share", "must be a number from 0 to 1") }
        self.init(perSecond: rate, failureShare: share)
    }
}

/// Discards a frozen list, in steps, so that it can be watched and stopped.
struct DiscardWork: Sendable {
    let service: DeadLetterService
    let ids: [DeadLetterID]
    let actor: String
    let reason: String

    private static let step = 50

    func run(_ item: ConsoleWork.Item) async -> ConsoleWork.Ending {
        var (done, skipped, failed, stillOpen) = (0, 0, 0, 0)
        var problems: [String] = []
        var rest = ids[...]
        while !rest.isEmpty, !item.stop.isSet {
            let report = await service.discard(Array(rest.prefix(Self.step)), by: actor, reason: reason)
            rest = rest.dropFirst(Self.step)
            done += report.done
            skipped += report.skipped
            failed += report.failed
            stillOpen += report.stillOpen
            problems += report.problems + report.skips.map { "\($0.id): \($0.reason)" }
            item.progress(ids.count - rest.count)
        }
        var text = "Discarded \(CountText.of(done)) of \(CountText.of(ids.count))."
        if skipped > 0 { text += " Skipped \(CountText.of(skipped))." }
        if failed > 0 { text += " Failed \(CountText.of(failed))." }
        if stillOpen > 0 {
            text += " The operations of \(CountText.of(stillOpen)) are still open: they stay in review."
        }
        return ConsoleWork.Ending(
            state: rest.isEmpty ? (failed > 0 ? .failed : .finished) : .stopped,
            text: text,
            problems: Array(problems.prefix(100))
        )
    }
}
