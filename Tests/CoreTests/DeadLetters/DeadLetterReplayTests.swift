import Core
import Simulation
import StoreContract
import Testing

@Suite("The replay of dead letters", .timeLimit(.minutes(2)))
struct DeadLetterReplayTests {
    private let lies = LyingBank()

    private func run(seeds: [UInt64?], _ work: @escaping @Sendable (World) async throws -> Void) throws {
        try World.run(seeds: seeds, consumers: { [lies] world in [world.consumer(bank: lies.before(world.bank))] }) {
            [lies] world in
            lies.lie(true)
            try await work(world)
        }
    }

    /// A capture that waits for manual review: its dead letter is kept.
    private static func needsAttention(_ world: World) async throws -> DeadLetterID {
        try await world.ask(.authorize, key: "a")
        world.send(.capture, key: "c")
        try await world.until { !world.deadLetters.isEmpty && world.broker.unacknowledged == 0 }
        try await world.ingest()
        return try #require(try await world.deadLetters([.open]).first?.id)
    }

    /// Keeps that many dead letters of voids for payments that are not there.
    private static func strangers(_ count: Int, _ world: World) async throws -> [DeadLetterID] {
        let feed = DeadLetterFeed()
        for number in 0..<count {
            let payment = World.payment(number)
            let message = CommandMessage.valid(.void, payment: payment, key: "k-\(number)")
            feed.addUnroutable(message)
        }
        try await world.ingesting(feed) { try await world.until { feed.unacknowledged == 0 } }
        return try await world.store.deadLetterIDs(.matching(DeadLetterFilter(), limit: nil))
    }

    @Test("a capture that waited for manual review goes to the bank again, under its key, and is answered")
    func reopens() throws {
        try run(seeds: [nil, 1, 2]) { [lies] world in
            let id = try await Self.needsAttention(world)
            lies.lie(false)
            let report = try await world.service.replay([id], by: "op")
            #expect(report.done == 1 && report.isClean)
            try await world.until { world.finalReplies("c").count == 1 }
            #expect(world.finalReplies("c").first?.outcome == "succeeded")
            #expect(world.bank.ledger.map(\.operation) == [.authorize, .capture])
            let view = try #require(try await world.store.deadLetter(id))
            #expect(view.deadLetter.state == .replayed)
            #expect(view.audit.map(\.result) == ["started", "replayed"])
            #expect(view.audit.allSatisfy { $0.actor == "op" && $0.action == "replay" })
            #expect(
                try await world.view().history.contains { $0.cause == "capture reopened: its dead letter is replayed" }
            )

            // Replaying twice is replaying once (docs/correctness.md#replay-is-idempotent).
            let published = world.broker.messages(.commands).count
            let again = try await world.service.replay([id], by: "op")
            #expect(again.done == 0 && again.skipped == 1 && again.isClean)
            #expect(world.broker.messages(.commands).count == published)
        }
    }

    @Test("one that fails again is a new dead letter, linked to the old one, also after a deferral")
    func failsAgain() throws {
        try run(seeds: [nil, 1]) { world in
            let id = try await Self.needsAttention(world)
            let before = world.deadLetters.count
            _ = try await world.service.replay([id], by: "op")
            try await world.until { world.deadLetters.count > before && world.broker.unacknowledged == 0 }
            try await world.ingest(from: before)
            let deadLetters = try await world.deadLetters()
            #expect(deadLetters.count == 2)
            let newer = try #require(deadLetters.first { $0.id != id })
            #expect(newer.replayOf == id && newer.state == .open && newer.failure.code == "needs_attention")
            #expect(deadLetters.first { $0.id == id }?.state == .replayed)
        }
    }

    @Test(
        "a crash between completing and publishing the dead letter loses nothing: a redelivery publishes it"
    )
    func redelivered() throws {
        try run(seeds: [nil, 1]) { world in
            try await world.ask(.authorize, key: "a")
            world.broker.setRefusing(.deadLetters, true)
            let message = world.send(.capture, key: "c")
            try await world.until { try await world.view().operations.last?.state == .needsAttention }
            // The delivery is stuck, as good as dead. Its copy comes.
            world.broker.setRefusing(.deadLetters, false)
            world.broker.deliver(message)
            try await world.until { world.deadLetters.count >= 2 && world.broker.unacknowledged == 0 }
            try await world.ingest()
            #expect(try await world.deadLetters().count == 1)
            #expect(world.replies("c").allSatisfy { $0.outcome == "unknown" })
        }
    }

    @Test(
        "a replay that was cut off at any commit or confirm is taken up by the next, and each dead letter ends once",
        arguments: 0..<8
    )
    func resumed(position: Int) throws {
        try World.run(seeds: [nil]) { world in
            let ids = try await Self.strangers(6, world)
            // Two commits and one confirm a dead letter: cut off in each of them.
            let lost = StoreFault.lostAfterCommit
            if position % 2 == 0 { world.store.inject(lost, into: .deadLetters) }
            if position > 3 { world.broker.inject(.lostConfirm, .lostConfirm, .lostConfirm, into: .commands) }
            let count = 1 + position % 4
            let first = try await world.service.replay(Array(ids.prefix(count)), by: "first")
            #expect(first.done + first.failed + first.skipped == count)
            // What went wrong may go on in the next one; the one after that finds nothing in its way.
            for actor in ["second", "third"] {
                let frozen = try await world.service.freeze(.matching(DeadLetterFilter(), limit: nil), for: .replay)
                _ = try await world.service.replay(frozen.ids, by: actor)
            }
            for id in ids {
                let view = try #require(try await world.store.deadLetter(id))
                #expect(view.deadLetter.state == .replayed)
                #expect(view.audit.count { $0.result == "replayed" } == 1)
            }
            try await world.drained()
            for number in 0..<6 {
                #expect(Set(world.replies("k-\(number)").map(\.message.body)).count == 1)
            }
        }
    }

    @Test("a dead letter that the broker certainly does not take is open again")
    func refused() throws {
        try World.run(seeds: [nil]) { world in
            let ids = try await Self.strangers(1, world)
            world.broker.inject(.refused, .refused, .refused, into: .commands)
            let report = try await world.service.replay(ids, by: "op")
            #expect(report.failed == 1 && !report.isClean)
            let view = try #require(try await world.store.deadLetter(ids[0]))
            #expect(view.deadLetter.state == .open)
            #expect(view.audit.map(\.result) == ["started", "failed"])
            #expect(view.audit.last?.reason == "refused by the broker")
        }
    }

    @Test("a replay stops at a share of failures, and keeps to its rate")
    func pace() throws {
        try World.run(seeds: [nil]) { world in
            let ids = try await Self.strangers(20, world)
            let started = world.time.uptime()
            let paced = try await world.service.replay(Array(ids.prefix(5)), by: "op", pace: ReplayPace(perSecond: 2))
            #expect(paced.done == 5)
            #expect(world.time.uptime() - started >= .seconds(2))

            world.broker.setRefusing(.commands, true)
            let stopped = try await world.service.replay(
                Array(ids.dropFirst(5)),
                by: "op",
                pace: ReplayPace(failureShare: 0.2)
            )
            #expect(stopped.failed == 5 && stopped.isCutShort && !stopped.isClean)
        }
    }

    @Test("an authorize whose card was reduced is answered from the store once it is completed, and else says why not")
    func reducedCard() throws {
        try World.run(seeds: [nil]) { world in
            var message = CommandMessage.valid(.authorize, payment: World.payment, key: "a")
            message.messageID = "message-a"
            message.replyTo = "replies.a"
            let feed = DeadLetterFeed()
            feed.addUnroutable(message)
            try await world.ingesting(feed) { try await world.until { feed.unacknowledged == 0 } }
            let id = try #require(try await world.deadLetters().first?.id)
            let before = try await world.service.replay([id], by: "op")
            #expect(before.skipped == 1 && !before.isClean)
            #expect(before.problems.first?.contains("its card was reduced") == true)
            #expect(try await world.store.deadLetter(id)?.audit.isEmpty == true)

            world.broker.deliver(message)
            try await world.until { world.finalReplies("a").count == 1 }
            let after = try await world.service.replay([id], by: "op")
            #expect(after.done == 1 && after.isClean)
            let replies = world.finalReplies("a")
            #expect(replies.count == 2)
            #expect(replies[0].message.body == replies[1].message.body)
            #expect(replies[0].message.messageID == replies[1].message.messageID)
            #expect(replies[1].isReplayed == true)
            #expect(replies[1].destination == .replies("replies.a"))
            #expect(try await world.store.deadLetter(id)?.deadLetter.state == .replayed)
        }
    }

    @Test("what is discarded is discarded once, with its reason, and not replayed")
    func discarded() throws {
        try World.run(seeds: [nil]) { world in
            let ids = try await Self.strangers(2, world)
            let report = await world.service.discard([ids[0]], by: "op", reason: "a test")
            #expect(report.done == 1 && report.isClean)
            let again = await world.service.discard([ids[0]], by: "op", reason: "again")
            #expect(again.done == 0 && again.skipped == 1 && again.isClean)
            let replay = try await world.service.replay(ids, by: "op")
            #expect(replay.done == 1 && replay.skipped == 1 && !replay.isClean)
            let audit = try #require(try await world.store.deadLetter(ids[0])?.audit)
            #expect(audit.map(\.reason) == ["a test"])
            let late = await world.service.discard([ids[1]], by: "op", reason: "late")
            #expect(late.skipped == 1 && late.problems == ["\(ids[1]): is replayed already"])
        }
    }
}
