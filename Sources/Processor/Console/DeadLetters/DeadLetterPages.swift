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
