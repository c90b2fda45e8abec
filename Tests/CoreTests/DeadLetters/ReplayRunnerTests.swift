import Core
import Simulation
import StoreContract
import Testing

/// Replays as rows: two at once, cut off anywhere, stopped.
@Suite("The runner of replays", .timeLimit(.minutes(2)))
struct ReplayRunnerTests {
    /// Keeps that many dead letters of voids for payments that are not there.
    private static func strangers(_ count: Int, _ world: World) async throws -> [DeadLetterID] {
        let feed = DeadLetterFeed()
        for number in 0..<count {
            feed.addUnroutable(CommandMessage.valid(.void, payment: World.payment(number), key: "k-\(number)"))
        }
        try await world.ingesting(feed) { try await world.until { feed.unacknowledged == 0 } }
        return try await world.store.deadLetterIDs(.matching(DeadLetterFilter(), limit: nil))
    }

    private static func published(_ world: World) -> [String] {
        world.broker.messages(.commands).compactMap { $0.message.headers["idempotency-key"]?.string }.sorted()
    }

    @Test(
        "two replays of the same dead letters at once publish each once, and both say that all is done",
        arguments: 0..<6
    )
    func together(seed: UInt64) throws {
        try World.run(seeds: [seed]) { world in
            let ids = try await Self.strangers(20, world)
            let reports = try await withThrowingTaskGroup(of: DeadLetterReport.self) { group in
                for actor in ["ada", "bob"] {
                    group.addTask { try await world.service.replay(ids, by: actor) }
                }
                return try await group.reduce(into: []) { $0.append($1) }
            }
            #expect(Self.published(world) == (0..<20).map { "k-\($0)" }.sorted())
            #expect(reports.reduce(0) { $0 + $1.done } == 20)
            #expect(reports.allSatisfy { $0.isClean && $0.done + $0.skipped == 20 })
        }
    }

    @Test("what a process that died had claimed is open again after its lease, and the replay goes on with all others")
    func abandoned() throws {
        try World.run(seeds: [nil]) { world in
            let ids = try await Self.strangers(3, world)
            let dead = ReplayClaim(replay: ReplayID(UniqueID(high: 0, low: 9)), fencingToken: 1)
            _ = try await world.store.beginReplay(ids[0], by: "dead", dead)
            let started = world.time.uptime()
            let report = try await world.service.replay(ids, by: "op")
            #expect(report.done == 3 && report.isClean)
            #expect(world.time.uptime() - started >= ReplayClaim.lease)
            #expect(world.broker.messages(.commands).first?.message.headers["idempotency-key"]?.string == "k-1")
            let late = try await world.store.endReplay(ids[0], by: "dead", dead, .replayed)
            #expect(!late)
        }
    }

    @Test("a replay that is cut off at any dead letter is taken up after its lease, and counts each dead letter once")
    func takenUp() throws {
        for position in 0..<4 {
            try World.run(seeds: [nil]) { world in
                let ids = try await Self.strangers(4, world)
                let run = try await world.service.order(ids, ReplayOrder(requestedBy: "op"))
                // Whoever took it dies: its last dead letter is published, and nobody has noted it.
                let dead = try #require(try await world.store.takeReplay(run.id))
                for id in ids.prefix(position) {
                    guard case .publish(let deadLetter) = try await world.store.beginReplay(id, by: "op", dead.claim)
                    else {
                        Issue.record("not published")
                        return
                    }
                    _ = try await world.broker.publish(deadLetter.replayCopy, to: .commands)
                    #expect(try await world.store.endReplay(id, by: "op", dead.claim, .replayed))
                    guard id != ids[position - 1] else { continue }
                    _ = try await world.store.note(dead.claim, DeadLetterReport.Entry(id: id, item: .done))
                }
                #expect(try await world.service.runHere(run.id) == false)
                let stop = StopFlag()
                try await withThrowingTaskGroup(of: Void.self) { group in
                    group.addTask { await world.service.runner.runAll(until: stop) }
                    try await world.until { try await world.store.replay(run.id)?.state == .finished }
                    stop.set()
                    try await group.waitForAll()
                }
                let report = DeadLetterReport(try #require(try await world.store.replayView(run.id)))
                #expect(report.done == 4 && report.isClean)
                #expect(Self.published(world) == ["k-0", "k-1", "k-2", "k-3"])
            }
        }
    }

    @Test("a replay that is stopped goes no further, and one that fails too often says so")
    func stopped() throws {
        try World.run(seeds: [nil]) { world in
            let ids = try await Self.strangers(20, world)
            let pace = ReplayPace(perSecond: 1)
            let run = try await world.service.order(ids, ReplayOrder(requestedBy: "op", pace: pace))
            let stop = StopFlag()
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask { await world.service.runner.runAll(until: stop) }
                try await world.until { Self.published(world).count >= 3 }
                #expect(try await world.store.stopReplay(run.id, by: "ada")?.state == .running)
                try await world.until { try await world.store.replay(run.id)?.state == .stopped }
                stop.set()
                try await group.waitForAll()
            }
            let ended = try #require(try await world.store.replay(run.id))
            #expect(ended.stoppedBy == "ada" && ended.counts.replayed == Self.published(world).count)
            #expect(ended.counts.replayed < 6)

            world.broker.setRefusing(.commands, true)
            let left = Array(ids.dropFirst(ended.counts.replayed))
            let failing = try await world.service.order(left, ReplayOrder(requestedBy: "op"))
            #expect(try await world.service.runHere(failing.id))
            let failed = try #require(try await world.store.replay(failing.id))
            #expect(failed.state == .failed && failed.counts.failed == 5)
            #expect(failed.reason?.contains("too many failures") == true)
        }
    }

    @Test("a process that shuts down gives its replay back, for another one to go on at once")
    func shutDown() throws {
        try World.run(seeds: [nil]) { world in
            let ids = try await Self.strangers(6, world)
            let pace = ReplayPace(perSecond: 1)
            let run = try await world.service.order(ids, ReplayOrder(requestedBy: "op", pace: pace))
            let stop = StopFlag()
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask { await world.service.runner.runAll(until: stop) }
                try await world.until { Self.published(world).count >= 2 }
                stop.set()
                try await group.waitForAll()
            }
            #expect(try await world.store.replay(run.id)?.state == .running)
            #expect(try await world.service.runHere(run.id))
            #expect(try await world.store.replay(run.id)?.counts.replayed == 6)
            #expect(Self.published(world).count == 6)
        }
    }
}
