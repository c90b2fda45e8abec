import Core
import HTTPTypes
import Hummingbird
import Synchronization

/// What was started from a page and goes on without it, in this process: few at a time, and the last ones remembered.
final class ConsoleWork: Sendable {
    struct Order: Sendable {
        let title: String
        let by: String
        /// How many steps there are, where that is known.
        var total: Int?
        /// Where the person came from.
        let back: String
        let backText: String
        let command: CommandText
    }

    enum State: String, Sendable {
        case running, finished, stopped, failed
    }

    struct Ending: Sendable {
        let state: State
        let text: String
        var problems: [String] = []
    }

    final class Item: Sendable {
        let id: String
        let order: Order
        let startedAt: Timestamp
        let stop = StopFlag()
        private let place = Mutex((done: 0, ending: Ending?.none))

        fileprivate init(id: String, order: Order, startedAt: Timestamp) {
            self.id = id
            self.order = order
            self.startedAt = startedAt
        }

        var path: String { "/console/work/\(id)" }
        var done: Int { place.withLock { $0.done } }
        var ending: Ending? { place.withLock { $0.ending } }
        var state: State { ending?.state ?? .running }

        func progress(_ done: Int) { place.withLock { $0.done = done } }

        fileprivate func end(_ ending: Ending) { place.withLock { $0.ending = ending } }
    }

    static let isFull = ConsoleFailure(
        .serviceUnavailable,
        "Not now",
        "This processor is at as much work from its console as it takes at a time. Wait for some of it to end."
    )

    private let items = Mutex<[Item]>([])
    private let time: any TimeSource
    private let random: any RandomSource

    private static let mostRunning = 4
    private static let mostKept = 50

    init(time: any TimeSource, random: any RandomSource) {
        self.time = time
        self.random = random
    }

    /// - Returns: as it runs; `nil` where there is no place for it.
    func start(_ order: Order, _ work: @escaping @Sendable (Item) async -> Ending) -> Item? {
        let now = time.now()
        let item = Item(id: random.identifier(at: now).description, order: order, startedAt: now)
        let isTaken = items.withLock { items in
            guard items.count(where: { $0.state == .running }) < Self.mostRunning else { return false }
            items.insert(item, at: 0)
            // Never one that runs.
            while items.count > Self.mostKept, let last = items.lastIndex(where: { $0.state != .running }) {
                items.remove(at: last)
            }
            return true
        }
        guard isTaken else { return nil }
        Task.detached { item.end(await work(item)) }
        return item
    }

    /// Newest first.
    var all: [Item] { items.withLock { $0 } }

    func item(_ id: String) -> Item? { items.withLock { $0.first { $0.id == id } } }

    /// The process ends: each at its next good moment.
    func stopAll() { for item in all { item.stop.set() } }
}

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
