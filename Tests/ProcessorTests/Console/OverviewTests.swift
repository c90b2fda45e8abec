import Core
import Synchronization
import Testing

@testable import Processor

@Suite("The overview of the console", .timeLimit(.minutes(1)))
struct OverviewTests {
    static func snapshot(
        reviews: Int? = 0,
        deadLetters: [String: Int]? = [:],
        outbox: Duration = .zero,
        runs: [SweepRun]? = [],
        members: [Member]? = [member],
        _ change: (inout Readiness.State) -> Void = { _ in }
    ) -> OverviewSnapshot {
        var state = Readiness.State(broker: .ok, database: .ok)
        change(&state)
        return OverviewSnapshot(
            at: Timestamp(microseconds: 1_000_000_000_000),
            state: state,
            members: members,
            runs: runs,
            reviews: reviews,
            deadLetters: deadLetters,
            queueDepths: [:],
            retryDepths: [:],
            openOperations: 0,
            oldest: [:],
            outboxOldest: outbox,
            eventsWaiting: 0,
            deadLettersOpen: 0
        )
    }

    private static let member = Member(
        id: "a",
        version: "1",
        startedAt: Timestamp(microseconds: 0),
        lastSeen: Timestamp(microseconds: 0),
        subscribed: Set(0..<8)
    )

    private func alarms(_ snapshot: OverviewSnapshot, uptime: Duration = .seconds(1)) -> [String] {
        OverviewAlarms(
            snapshot,
            AlarmMemory(),
            partitions: 8,
            periods: [.reconcile: .seconds(60)],
            uptime: uptime
        ).all.map(\.id)
    }

    @Test("what is in review is counted once: not as dead letters, too")
    func reviews() {
        #expect(alarms(Self.snapshot(reviews: 2, deadLetters: ["needs_attention": 2])) == ["manual-review"])
        let both = Self.snapshot(reviews: 2, deadLetters: ["needs_attention": 2, "unrouted": 1])
        #expect(alarms(both) == ["manual-review", "dead-letters"])
    }

    @Test("a sweep has stopped when several of its slots went by, and the processor was there to see it")
    func sweeps() {
        func run(_ ago: Duration) -> SweepRun {
            let at = Timestamp(microseconds: 1_000_000_000_000).advanced(by: .zero - ago)
            return SweepRun(
                id: SweepRunID(UniqueID(high: 0, low: 1)),
                job: .reconcile,
                slot: at,
                startedAt: at,
                finishedAt: at
            )
        }
        let late = Self.snapshot(runs: [run(.seconds(241))])
        #expect(alarms(late, uptime: .seconds(240)).isEmpty)
        #expect(alarms(late, uptime: .seconds(241)) == ["sweeps-stopped-reconcile"])
        #expect(alarms(Self.snapshot(runs: [run(.seconds(200))]), uptime: .seconds(3_000)).isEmpty)
    }

    @Test("problems without an outage are a word, not an alarm")
    func hints() {
        let snapshot = Self.snapshot { $0.problems = ["the queue payments.replies is full"] }
        #expect(alarms(snapshot).isEmpty)
        #expect(snapshot.hints == ["The queue payments.replies is full."])
        #expect(Self.snapshot { $0.bank = .halfOpen }.hints.count == 1)
    }

    @Test("commands of the last hour, by the minute, and a second of late")
    func rates() {
        let start = ContinuousClock.now
        let passed = Mutex(Duration.zero)
        let rates = CommandRates(now: { start + passed.withLock { $0 } })
        rates.note(.succeeded)
        passed.withLock { $0 = .seconds(65) }
        for _ in 0..<60 { rates.note(.declined) }
        #expect(rates.perSecond() == 0)
        passed.withLock { $0 = .seconds(70) }
        #expect(rates.perSecond() == 2)
        var hour = rates.lastHour()
        #expect(hour.count == 60)
        #expect(hour[59] == [.declined: 60])
        #expect(hour[58] == [.succeeded: 1])
        passed.withLock { $0 = .seconds(3_650) }
        hour = rates.lastHour()
        #expect(hour[0] == [.declined: 60])
        passed.withLock { $0 = .seconds(2 * 3_600) }
        let later = rates.lastHour()
        #expect(later.flatMap(\.keys).isEmpty)
    }

    @Test("the chart says in words what it shows")
    func chart() {
        var minutes = [[CommandOutcome: Int]](repeating: [:], count: 60)
        #expect(OverviewChart(minutes: minutes).svg.contains("No command within the last hour."))
        minutes[59] = [.succeeded: 3, .deadLettered: 1]
        let svg = OverviewChart(minutes: minutes).svg
        #expect(svg.contains("3 succeeded, 1 dead-lettered. At most 4 a minute."))
        #expect(svg.matches(of: /<rect/).count == 2)
    }

    @Test("the chart and the rate are of all processors where the database tells, else of this one")
    func wholeHour() async throws {
        let scene = ConsoleScene()
        scene.metrics.countCommand(.capture, .declined)
        try await scene.withServer { port in
            let page = try await scene.visitor(port: port).get("/console").body
            #expect(page.contains("by this processor, since"))
            #expect(page.contains("1 declined. At most 1 a minute."))
            #expect(page.contains("over 30 s, this processor"))
        }
        let all = ConsoleScene()
        var minutes = [[CommandOutcome: Int]](repeating: [:], count: 60)
        minutes[30] = [.succeeded: 1_234]
        (minutes[58], minutes[59]) = ([.succeeded: 300, .declined: 60], [.succeeded: 90])
        all.minutes.say(minutes, seconds: 30)
        try await all.withServer { port in
            let page = try await all.visitor(port: port).get("/console").body
            #expect(page.contains("by all processors"))
            #expect(page.contains("1624 succeeded, 60 declined. At most 1234 a minute."))
            #expect(page.contains("<strong>1,624</strong>"))
            #expect(page.contains("5.0</span>") && page.contains("over 1 to 2 min, all processors"))
        }
    }

    @Test("a number in the navigation is red only when its alarm is due, on every page")
    func badges() async throws {
        let review = PendingReview(
            payment: Samples.payment(),
            kind: .capture,
            merchantID: .default,
            idempotencyKey: IdempotencyKey(verified: "key-1"),
            lastError: nil,
            deadLetter: DeadLetterScene.id(2),
            deadLetterState: .open,
            since: Timestamp(microseconds: 1_000_000)
        )
        let patience = AlarmKind.deadLetters.patience
        for (age, reviews, badges) in [
            (patience - .seconds(1), [], [">Review</a>", "Dead letters <span class=\"count\">1</span>"]),
            (
                patience, [review],
                ["Review <span class=\"count act\">1</span>", "Dead letters <span class=\"count act\">1</span>"]
            ),
        ] {
            let scene = ConsoleScene()
            _ = try await scene.deadLetters.keep(1, code: "unrouted")
            scene.metrics.setOldest(QueueAges(oldest: [.deadLetters: age]))
            scene.reading.say(reviews: reviews)
            try await scene.withServer { port in
                let page = try await scene.visitor(port: port).get("/console/sweeps").body
                for badge in badges { #expect(page.contains(badge)) }
            }
        }
    }

    @Test("no message is on a retry tier for longer than its time")
    func tierAges() async throws {
        let scene = ConsoleScene()
        scene.metrics.setRetryDepth(.minutes2, 3)
        try await scene.withServer { port in
            let page = try await scene.visitor(port: port).get("/console").body
            #expect(page.contains("retry 2m</th><td class=\"number\">3</td><td>at most 2 min</td>"))
            #expect(page.contains("retry 5s</th><td class=\"number\">0</td><td></td>"))
        }
    }
}
