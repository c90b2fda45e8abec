import Core
import Hummingbird

/// One piece of work of this processor's console, while it runs and afterwards.
struct WorkPages: Sendable {
    let console: Console

    func add(to router: Router<AdminContext>) {
        console.get("console/work/:id", on: router) { visit, parameters in
            let item = try item(parameters)
            return .page(
                ConsolePage(
                    title: item.order.title,
                    section: item.order.back == ConsoleSection.sweeps.path ? .sweeps : .deadLetters,
                    template: "job",
                    content: WorkContent(item, visit.session, now: console.parts.time.now())
                )
            )
        }
        console.get("console/work/:id/events", on: router) { _, parameters in
            let item = try item(parameters)
            return .stream(
                ConsoleStream {
                    let content = WorkContent(item, nil, now: console.parts.time.now())
                    return (console.renderer.fragment("job-progress", content), !content.isRunning)
                }
            )
        }
        console.post("console/work/:id/stop", on: router) { _, parameters in
            let item = try item(parameters)
            item.stop.set()
            return .seeOther(item.path)
        }
    }

    private func item(_ parameters: Parameters) throws -> ConsoleWork.Item {
        guard let item = parameters.get("id").flatMap(console.work.item) else {
            throw ConsoleFailure(
                .notFound,
                "Not found",
                "This processor knows no such work. It is remembered by the processor that did it, until that ends."
            )
        }
        return item
    }
}

struct WorkContent: Sendable {
    let id: String
    let title: String
    let said: String
    let state: String
    let tone: String?
    let isRunning: Bool
    let canAct: Bool
    let form: String
    let total: Int?
    let done: Int
    let text: String
    let by: String
    let at: TimeText
    let hasProblems: Bool
    let problems: [String]
    let back: String
    let backText: String
    let command: CommandText

    /// - Parameter session: `nil` where only the progress is shown.
    init(_ item: ConsoleWork.Item, _ session: ConsoleSession?, now: Timestamp) {
        let ending = item.ending
        id = item.id
        title = item.order.title
        state = ending?.state.rawValue ?? (item.stop.isSet ? "stopping" : "running")
        isRunning = ending == nil
        switch ending?.state {
        case .finished?: tone = "good"
        case .failed?: tone = "act"
        case .stopped?: tone = nil
        case .running?, nil: tone = "wait"
        }
        canAct = session?.canAct ?? false
        form = session?.formToken ?? ""
        total = item.order.total
        done = item.done
        text = ending?.text ?? (total.map { "\(CountText.of(item.done)) of \(CountText.of($0))" } ?? "At work.")
        said = ending?.text ?? ""
        by = item.order.by
        at = TimeText(item.startedAt, now: now)
        problems = ending?.problems ?? []
        hasProblems = !problems.isEmpty
        back = item.order.back
        backText = item.order.backText
        command = item.order.command
    }
}
