import Core
import Hummingbird
import Migrations

/// What is wrong now, and how everything goes.
struct OverviewRoutes: Sendable {
    let console: Console

    func add(to router: Router<AdminContext>) {
        console.get("console", on: router) { _, _ in
            .page(
                ConsolePage(title: "Overview", section: .overview, template: "overview", content: await content())
            )
        }
        console.get("console/events", on: router) { _, _ in
            .stream(ConsoleStream { (console.renderer.fragment("overview-live", await content()), false) })
        }
    }

    private func content() async -> OverviewContent {
        OverviewContent(await console.overview.snapshot(), console.parts)
    }
}

/// What the overview says, ready to be shown.
struct OverviewContent: Sendable {
    let said: String
    let alarms: Alarms?
    let calm: String
    let hints: [String]
    let tiles: [Tile]
    let chart: String
    let whose: String
    let legend: [Legend]
    let partitions: [Queue]
    let oldestOperation: String
    let queues: [Queue]
    let sweeps: [Sweep]
    let members: [Processor]
    let schema: String
    let broker: String
    let database: String
    let now: String
    let nowText: String
    let commands = [
        CommandText(["members"]), CommandText(["sweeps", "status"]), CommandText(["dead-letters", "stats"]),
        CommandText(["dead-letters", "list", "--code", DeadLetterCode.needsAttention.rawValue]),
    ]

    struct Alarms: Sendable { let items: [OverviewAlarm] }

    struct Tile: Sendable {
        let name: String
        let value: String
        let note: String
        var tone: String?
    }

    struct Legend: Sendable {
        let key: String
        let name: String
        let count: String
    }

    struct Queue: Sendable {
        let name: String
        let depth: String
        var owner: String?
        var oldest = ""
    }

    struct Sweep: Sendable {
        let job: String
        let at: TimeText?
        let result: String
    }

    struct Processor: Sendable {
        let id: String
        let isThis: Bool
        let version: String
        let partitions: String
        let started: TimeText
    }

    init(_ snapshot: OverviewSnapshot, _ parts: ConsoleParts) {
        let rates = parts.metrics.rates
        let found = OverviewAlarms(snapshot, parts).all
        let alarms = found.filter(\.isDue)
        self.alarms = alarms.isEmpty ? nil : Alarms(items: alarms)
        said = alarms.isEmpty ? "Nothing needs you." : alarms.map(\.title).joined(separator: " ")
        calm = Self.calm(snapshot)
        hints = found.filter { !$0.isDue }.map { "\($0.title) \($0.detail)" } + snapshot.hints
        let chart = OverviewChart(minutes: snapshot.hour?.minutes ?? rates.lastHour())
        self.chart = chart.svg
        legend = chart.totals.map { outcome, count in
            Legend(key: OverviewChart.key(outcome), name: OverviewChart.name(outcome), count: CountText.of(count))
        }
        let since = TimeText.second(snapshot.at.advanced(by: .zero - min(rates.age, .seconds(3_600))))
        whose = snapshot.hour == nil ? "by this processor, since \(since)" : "by all processors"
        tiles = Self.tiles(snapshot, Set(alarms.map(\.kind)), rates)
        let shares = PartitionShares(members: (snapshot.members ?? []).map(\.id), partitions: parts.partitions)
        let isUnattended = alarms.contains { $0.kind == .partitionUnattended }
        partitions = (0..<parts.partitions).map { partition in
            let reader = snapshot.members?.first { $0.subscribed.contains(partition) }?.id
            return Queue(
                name: "\(partition)",
                depth: Self.depth(snapshot.queueDepths["commands.\(partition)"]),
                owner: snapshot.members == nil ? "not known" : reader ?? (isUnattended ? nil : "nobody yet")
            )
        }
        let oldest = snapshot.oldest[QueueAge.operations.rawValue] ?? .zero
        oldestOperation =
            snapshot.openOperations == 0
            ? "No operation is open."
            : "\(CountText.of(snapshot.openOperations, "operation")) open, the oldest for \(AgeText.of(oldest))."
        queues = Self.queues(snapshot)
        sweeps = SweepJob.allCases.map { job in Self.sweep(job, snapshot) }
        members = (snapshot.members ?? []).map { member in
            let owned = shares.partitions(of: member.id)
            return Processor(
                id: member.id,
                isThis: member.id == parts.identity,
                version: member.version,
                partitions: owned.isEmpty ? "none" : owned.map(String.init).joined(separator: " "),
                started: TimeText(member.startedAt, now: snapshot.at)
            )
        }
        let newest = Migrations.all.last?.name
        schema =
            snapshot.schema == newest
            ? newest ?? "none" : "\(snapshot.schema ?? "not known"), this processor has \(newest ?? "none")"
        broker = snapshot.state.broker.rawValue
        database = snapshot.state.database.rawValue
        now = snapshot.at.description
        nowText = TimeText.second(snapshot.at)
    }

    private static func calm(_ snapshot: OverviewSnapshot) -> String {
        let waiting = snapshot.queueDepths.filter { $0.key.hasPrefix("commands.") }.values.reduce(0, +)
        let retries = snapshot.retryDepths.values.reduce(0, +)
        if waiting + retries == 0 { return "No command waits." }
        return "\(CountText.of(waiting, "command")) in the queues, \(CountText.of(retries)) on retry tiers."
    }

    private static func tiles(_ snapshot: OverviewSnapshot, _ red: Set<AlarmKind>, _ rates: CommandRates) -> [Tile] {
        let bank = snapshot.state.bank
        let deadLetters = snapshot.deadLetters.map { $0.values.reduce(0, +) }
        let reviews = snapshot.reviews
        func tone(_ kind: AlarmKind, isWaiting: Bool = false) -> String? {
            red.contains(kind) ? "act" : isWaiting ? "wait" : nil
        }
        return [
            Tile(
                name: "Bank",
                value: bank == .closed ? "available" : bank == .open ? "unavailable" : "being tried",
                note: "breaker \(bank.rawValue)",
                tone: tone(.bankUnavailable, isWaiting: bank == .open)
            ),
            Tile(
                name: "Commands a second",
                value: tenths(snapshot.hour?.perSecond ?? rates.perSecond()),
                note: snapshot.hour == nil ? "over 30 s, this processor" : "over 1 to 2 min, all processors"
            ),
            Tile(
                name: "For review",
                value: reviews.map(CountText.of) ?? "?",
                note: "operations",
                tone: tone(.manualReview)
            ),
            Tile(
                name: "Dead letters",
                value: deadLetters.map(CountText.of) ?? "?",
                note: "left to do",
                tone: tone(.deadLetters, isWaiting: (deadLetters ?? 0) > 0)
            ),
            Tile(
                name: "Outbox",
                value: snapshot.outboxOldest == .zero ? "empty" : AgeText.of(snapshot.outboxOldest),
                note: snapshot.outboxOldest == .zero ? "no reply waits" : "oldest reply",
                tone: tone(.outboxStuck)
            ),
            Tile(
                name: "Open operations",
                value: CountText.of(snapshot.openOperations),
                note: "outcome not stored",
                tone: tone(.openForLong)
            ),
        ]
    }

    private static func queues(_ snapshot: OverviewSnapshot) -> [Queue] {
        let tiers = RetryTier.allCases.map { tier in
            let count = snapshot.retryDepths[tier.rawValue]
            // They leave when their time is over, so none is older.
            return Queue(
                name: "retry \(tier.rawValue)",
                depth: depth(count),
                oldest: (count ?? 0) > 0 ? "at most \(AgeText.of(tier.delay))" : ""
            )
        }
        let waiting = snapshot.oldest[QueueAge.retry.rawValue] ?? .zero
        let commands = Queue(
            name: "commands that wait without an operation",
            depth: "",
            oldest: waiting == .zero ? "none" : AgeText.of(waiting)
        )
        let failures = snapshot.oldest[QueueAge.deadLetters.rawValue] ?? .zero
        let others = [
            (QueueDepths.replies, "default reply queue"), ("dead-letters", "dead letters, not taken yet"),
            ("unrouted", "unrouted, not taken yet"), ("sweeps", "ticks of the sweeps"),
        ].map { key, name in Queue(name: name, depth: depth(snapshot.queueDepths[key])) }
        let stored = Queue(
            name: "dead letters left to do",
            depth: depth(snapshot.deadLetters?.values.reduce(0, +)),
            oldest: failures == .zero ? "" : AgeText.of(failures)
        )
        let outbox = Queue(
            name: "outbox",
            depth: "",
            oldest: snapshot.outboxOldest == .zero ? "empty" : AgeText.of(snapshot.outboxOldest)
        )
        return tiers + [commands] + others + [stored, outbox]
    }

    private static func sweep(_ job: SweepJob, _ snapshot: OverviewSnapshot) -> Sweep {
        let runs = (snapshot.runs ?? []).filter { $0.job == job }
        let last = runs.first { $0.finishedAt != nil }
        let isRunning = runs.first.map {
            $0.finishedAt == nil && $0.startedAt.duration(to: snapshot.at) < .seconds(600)
        }
        let result =
            last.map { run in
                let report = run.report
                return report.examined == 0
                    ? "nothing was due"
                    : "\(report.resolved) resolved, \(report.waiting) waiting, \(report.needsAttention) for review"
            } ?? ""
        return Sweep(
            job: job.rawValue,
            at: (last?.finishedAt).map { TimeText($0, now: snapshot.at) },
            result: isRunning == true ? "runs now; before: \(result)" : result
        )
    }

    private static func depth(_ count: Int?) -> String { count.map(CountText.of) ?? "?" }

    private static func tenths(_ number: Double) -> String {
        let tenths = Int((number * 10).rounded())
        return "\(CountText.of(tenths / 10)).\(tenths % 10)"
    }
}
