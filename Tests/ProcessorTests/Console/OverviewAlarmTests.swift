import ConfigurationText
import Core
import CoreMetrics
import Synchronization
import TestSupport
import Testing

@testable import Processor

/// What the overview is red about, and from when on.
@Suite("The alarms of the overview", .timeLimit(.minutes(1)))
struct OverviewAlarmTests {
    /// A moment after which nothing but what a test says has changed.
    private struct Scene {
        let memory = AlarmMemory()
        var now = Timestamp(microseconds: 1_000_000_000_000)
        var state = Readiness.State(broker: .ok, database: .ok)
        var subscribed: Set<Int>? = Set(0..<8)
        var depths: [String: Int] = [:]
        var retries = 0
        var events = 0
        var deadLetters: [String: Int] = [:]
        var oldest: [String: Duration] = [:]
        var outbox = Duration.zero

        private var snapshot: OverviewSnapshot {
            OverviewSnapshot(
                at: now,
                state: state,
                members: subscribed.map {
                    [Member(id: "a", version: "1", startedAt: now, lastSeen: now, subscribed: $0)]
                },
                runs: [],
                reviews: 0,
                deadLetters: deadLetters,
                queueDepths: depths,
                retryDepths: ["5s": retries],
                openOperations: 3,
                oldest: oldest,
                outboxOldest: outbox,
                eventsWaiting: events,
                deadLettersOpen: 0
            )
        }

        /// What is said, red or not.
        func look() -> [OverviewAlarm] {
            memory.note(snapshot.conditions(partitions: 8, memory), counts: [:], at: now)
            return OverviewAlarms(snapshot, memory, partitions: 8, periods: [:], uptime: .seconds(1)).all
        }

        mutating func pass(_ duration: Duration) { now = now.advanced(by: duration) }
    }

    /// An alarm that becomes red when its condition has lasted, and not before; and that begins anew after a moment without it.
    private func check(_ kind: AlarmKind, after patience: Duration, _ change: (inout Scene) -> Void) {
        var scene = Scene()
        #expect(scene.look().isEmpty)
        let calm = scene
        change(&scene)
        #expect(scene.look().map(\.kind) == [kind])
        scene.pass(patience - .seconds(1))
        #expect(scene.look().map(\.isDue) == [false], "\(kind)")
        scene.pass(.seconds(1))
        #expect(scene.look().map(\.isDue) == [true], "\(kind)")
        #expect(scene.look().map(\.id) == [kind.rawValue])
        var over = calm
        over.now = scene.now
        #expect(over.look().isEmpty)
        scene.pass(.seconds(10))
        #expect(scene.look().map(\.isDue) == [false], "\(kind): as if it had never stopped")
    }

    @Test("what may go away by itself is red when it has lasted, and said without red before")
    func patience() {
        check(.bankUnavailable, after: .seconds(300)) { $0.state.bank = .open }
        check(.bankUnavailable, after: .seconds(300)) { $0.state.bank = .halfOpen }
        check(.brokerUnavailable, after: .seconds(120)) { $0.state.broker = .lost }
        check(.brokerUnavailable, after: .seconds(120)) { $0.state.areStopped = true }
        check(.databaseUnavailable, after: .seconds(120)) { $0.state.database = .stalled }
        check(.partitionUnattended, after: .seconds(120)) { $0.subscribed = [0, 1, 2, 4, 5, 6, 7] }
        check(.deadLetters, after: .seconds(900)) { $0.deadLetters = ["unrouted": 1] }
        check(.retryTiersFilling, after: .seconds(600)) { $0.retries = 1_001 }
        check(.eventsStuck, after: .seconds(900)) { $0.events = 1 }
    }

    @Test("what is no trouble: a start, commands that are deferred, what is not known")
    func calm() {
        var scene = Scene()
        scene.state.broker = .connecting
        scene.retries = 1_000
        scene.outbox = .seconds(300)
        scene.oldest = [QueueAge.operations.rawValue: .seconds(1_800)]
        scene.subscribed = nil
        for _ in 0..<3 {
            #expect(scene.look().isEmpty)
            scene.pass(.seconds(3_600))
        }
    }

    @Test("a partition that nobody reads is named; while the bank is unavailable nobody is to read one")
    func partitions() {
        var scene = Scene()
        scene.subscribed = [0, 1, 2, 3, 4]
        #expect(scene.look().map(\.title) == ["Nobody reads the partitions 5, 6, 7."])
        scene.state.bank = .open
        #expect(scene.look().map(\.kind) == [.bankUnavailable])
    }

    @Test("what has waited for too long is red at once")
    func ages() {
        var scene = Scene()
        scene.outbox = .seconds(301)
        scene.oldest = [QueueAge.operations.rawValue: .seconds(1_801), QueueAge.deadLetters.rawValue: .seconds(900)]
        scene.deadLetters = ["unrouted": 1]
        let alarms = scene.look()
        #expect(alarms.map(\.kind) == [.outboxStuck, .deadLetters, .openForLong])
        #expect(alarms.map(\.isDue) == [true, true, true])
    }

    @Test(
        "no progress: commands wait in a partition of this processor, and none has ended for five minutes, and five more"
    )
    func progress() {
        var scene = Scene()
        let commands = ProcessorMetrics.Name.commands.rawValue
        scene.state.members = Readiness.Members(count: 2, owned: [1])
        scene.depths = ["commands.0": 5, "commands.1": 1]
        scene.memory.note([:], counts: [commands: 7], at: scene.now)
        #expect(scene.look().isEmpty)
        scene.pass(.seconds(300))
        #expect(scene.look().map(\.isDue) == [false])
        scene.pass(.seconds(300))
        #expect(scene.look().map(\.kind) == [.noProgress])
        #expect(scene.look().map(\.isDue) == [true])
        // The bank explains it.
        var without = scene
        without.state.bank = .open
        #expect(!without.look().map(\.kind).contains(.noProgress))
        // Others have theirs.
        without = scene
        without.depths = ["commands.0": 5, "commands.1": 0]
        #expect(without.look().isEmpty)
        scene.memory.note([:], counts: [commands: 8], at: scene.now)
        #expect(scene.look().isEmpty)
    }

    @Test("what is counted is red from the first time on, for as long as its alert looks back")
    func counters() {
        for kind in AlarmKind.allCases {
            guard let (counter, window) = kind.counted else { continue }
            var scene = Scene()
            scene.memory.note([:], counts: [counter.rawValue: 0], at: scene.now)
            #expect(scene.look().isEmpty)
            scene.pass(.seconds(60))
            scene.memory.note([:], counts: [counter.rawValue: 1], at: scene.now)
            scene.pass(window)
            scene.memory.note([:], counts: [counter.rawValue: 1], at: scene.now)
            #expect(scene.look().map(\.kind) == [kind])
            #expect(scene.look().map(\.isDue) == [true])
            scene.pass(.seconds(1))
            #expect(scene.look().isEmpty, "\(kind)")
        }
    }

    @Test("the watch notes the counters and gauges of the processor, and who reads, without any page")
    func watch() async throws {
        let scene = ConsoleScene()
        let parts = try scene.parts()
        scene.metrics.repliesPostponed.increment()
        scene.readiness.setBank(.open)
        let watching = Task { await AlarmWatch(parts: parts).run() }
        defer { watching.cancel() }
        while parts.alarms.age(of: .bankUnavailable, at: SystemTime().now()) == nil { await Task.yield() }
        let counter = ProcessorMetrics.Name.repliesPostponed.rawValue
        #expect(parts.alarms.growth(of: counter, at: SystemTime().now()) != nil)
        #expect(parts.alarms.growth(of: ProcessorMetrics.Name.commands.rawValue, at: SystemTime().now()) == nil)
    }
}

/// The alarms of the overview against ops/prometheus/alerts.yaml.
@Suite("Alarms and alerts", .timeLimit(.minutes(1)))
struct DocumentedAlarmsTests {
    private let rules = YAMLPage("ops/prometheus/alerts.yaml")["groups"].elements.flatMap {
        $0["rules"]?.elements ?? []
    }

    /// What a page of a processor cannot tell.
    private let onlyPrometheus = ["no-processor": "without a processor there is no page"]
    /// What the metrics do not tell.
    private let onlyConsole: [AlarmKind: String] = [
        .databaseUnavailable: "/readyz tells it to whoever probes, and commands that wait to the alert No progress",
        .brokerUnavailable: "/readyz tells it to whoever probes; the gauges of the queues stay as they were",
        .partitionUnattended: "no metric has how many partitions there are; No progress tells it when commands wait",
    ]

    /// `PaymentsBankUnavailable` is `bank-unavailable`.
    private func name(_ rule: JSONValue) -> String {
        let words = (rule["alert"]?.string ?? "").dropFirst("Payments".count)
        return words.reduce("") { $0 + ($1.isUppercase && !$0.isEmpty ? "-" : "") + $1.lowercased() }
    }

    @Test("every alert is an alarm, and every alarm an alert, but those that only one of them can tell")
    func names() {
        let alerts = rules.map(name)
        #expect(alerts.count > 10)
        #expect(onlyPrometheus.keys.allSatisfy(alerts.contains))
        let alarms = AlarmKind.allCases.filter { onlyConsole[$0] == nil }.map(\.rawValue)
        #expect(Set(alerts.filter { onlyPrometheus[$0] == nil }) == Set(alarms))
        #expect(onlyConsole.keys.allSatisfy { !alerts.contains($0.rawValue) })
    }

    @Test("the same patience, the same range, the same limit, the same runbook")
    func values() throws {
        for rule in rules {
            guard let kind = AlarmKind(rawValue: name(rule)) else { continue }
            let expression = rule["expr"]?.string ?? ""
            let patience = rule["for"]?.string.flatMap(DurationText.duration) ?? .zero
            #expect(kind.patience == patience, "\(kind)")
            if let (counter, window) = kind.counted {
                let minutes = window.components.seconds / 60
                let range = minutes == 60 ? "1h" : "\(minutes)m"
                #expect(expression == "increase(\(counter.rawValue)[\(range)]) > 0", "\(kind)")
            }
            if let limit = kind.limit { #expect(expression.hasSuffix("> \(limit.components.seconds)"), "\(kind)") }
            let heading = rule["annotations"]?["runbook"]?.string?.split(separator: "#").last ?? ""
            #expect(kind.runbook == Guides.link("operations", String(heading)), "\(kind)")
        }
        let filling = try #require(rules.first { name($0) == AlarmKind.retryTiersFilling.rawValue })
        #expect(filling["expr"]?.string?.hasSuffix("> \(OverviewSnapshot.manyDeferred)") == true)
        let progress = try #require(rules.first { name($0) == AlarmKind.noProgress.rawValue })
        #expect(progress["expr"]?.string?.contains("[\(OverviewSnapshot.standstill.components.seconds / 60)m]") == true)
    }
}
