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
