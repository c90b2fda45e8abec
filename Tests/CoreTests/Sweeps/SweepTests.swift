import Core
import Simulation
import Testing

/// The sweeps themselves, in virtual time.
@Suite("Sweeps", .timeLimit(.minutes(1)))
struct SweepTests {
    @Test(
        "a capture that its processor has left behind is finished, told once, and agrees with the bank",
        arguments: [true, false]
    )
    func capture(_ executed: Bool) throws {
        try World.run { world in
            try await world.ask(.authorize, key: "a")
            try await world.leaveBehind(.capture, key: "c", executed: executed)
            let sweep = world.reconcile()
            #expect(try await sweep.run(until: StopFlag()) == SweepReport())
            try await world.time.sleep(for: .seconds(40))
            #expect(try await sweep.run(until: StopFlag()) == SweepReport(examined: 1, resolved: 1))
            #expect(try await world.view().payment.status == .captured)
            #expect(world.bank.ledger.map(\.operation) == [.authorize, .capture])

            try await world.relay().relayAll()
            let reply = try #require(world.finalReplies("c").first)
            #expect(world.finalReplies("c").count == 1)
            #expect(reply.outcome == "succeeded")
            #expect(reply.isReplayed == true)
            #expect(world.events == ["payment.authorized.v1", "payment.captured.v1"])
            // Whoever asks again gets the same.
            let again = try await world.ask(.capture, key: "c")
            #expect(again.message.body == reply.message.body)
            #expect(again.message.messageID == reply.message.messageID)
        }
    }

    @Test("what a processor completed whose delivery had been another's meanwhile is reported by the sweep")
    func zombie() throws {
        /// A process that stands still before its claim, and dies after its completion.
        struct ZombieStore: StoreFront {
            let store: InMemoryPaymentStore
            let time: VirtualTime

            func claim(_ request: ClaimRequest) async throws(StoreError) -> ClaimOutcome {
                try? await time.sleep(for: .seconds(10))
                return try await store.claim(request)
            }

            func complete(_ result: OperationResult) async throws(StoreError) -> CompletionOutcome {
                _ = try await store.complete(result)
                try? await time.sleep(for: .seconds(30 * 86_400))
                throw StoreError(.unavailable, detail: "dead")
            }
        }
        try World.run(consumers: { world in
            [world.consumer(store: ZombieStore(store: world.store, time: world.time)), world.consumer()]
        }) { world in
            world.send(.capture, key: "c", to: 0)
            // The broker has given it up, and gives its delivery to another one, who answers it.
            world.send(.capture, key: "c", to: 1)
            try await world.until { world.replies("c").map(\.code) == ["payment_not_found"] }
            world.send(.authorize, key: "a", to: 1)
            try await world.until { world.finalReplies("a").count == 1 }
            try await world.until { world.bank.ledger.count == 2 }

            let sweep = world.reconcile()
            try await world.until {
                _ = try await sweep.run(until: StopFlag())
                try await world.relay().relayAll()
                return world.replies("c").count == 2
            }
            let reply = try #require(world.replies("c").last)
            #expect(reply.outcome == "succeeded")
            #expect(reply.isReplayed == true)
            #expect(world.events == ["payment.authorized.v1", "payment.captured.v1"])
            // Once, and the same for whoever asks again.
            try await world.time.sleep(for: .seconds(3_600))
            #expect(try await sweep.run(until: StopFlag()) == SweepReport())
            world.send(.capture, key: "c", to: 1)
            try await world.until { world.replies("c").count == 3 }
            #expect(world.replies("c").last?.message.body == reply.message.body)
        }
    }

    @Test("an unknown reply that its queue refused is reported by the sweep, and its dead letter stays one")
    func refusedUnknown() throws {
        try World.run(consumers: { [$0.consumer(bank: LyingBank().before($0.bank))] }) { world in
            try await world.ask(.authorize, key: "a")
            world.broker.setRefusing(.replies, true)
            world.send(.capture, key: "c")
            try await world.until { world.deadLetters.count == 1 && world.broker.unacknowledged == 0 }
            #expect(world.replies("c").isEmpty)

            world.broker.setRefusing(.replies, false)
            let sweep = world.reconcile()
            try await world.until {
                _ = try await sweep.run(until: StopFlag())
                try await world.relay().relayAll()
                return !world.replies("c").isEmpty
            }
            #expect(world.replies("c").map(\.outcome) == ["unknown"])
            #expect(Set(world.events) == ["payment.authorized.v1", "payment.needs_attention.v1"])
            #expect(Set(world.deadLetters.map { $0.headers[HeaderName.failureInstance] }).count == 1)
            try await world.time.sleep(for: .seconds(3_600))
            #expect(try await sweep.run(until: StopFlag()) == SweepReport())
        }
    }

    @Test("while the bank is known to be out nothing is checked, and no attempt is spent")
    func outage() throws {
        try World.run { world in
            try await world.ask(.authorize, key: "a")
            try await world.leaveBehind(.capture, key: "c", executed: false)
            try await world.time.sleep(for: .seconds(40))
            world.bank.setDown(true)
            let breaker = world.breaker()
            let permit = try #require(try await breaker.admit(since: nil))
            for _ in 0..<20 { breaker.record(.notSent(reason: "down"), under: permit) }
            #expect(breaker.condition == .open)
            let sweep = world.reconcile(breaker)
            #expect(try await sweep.run(until: StopFlag()) == SweepReport())
            #expect(world.store.operations.first { $0.kind == .capture }?.attempts == 1)

            world.bank.setDown(false)
            try await world.time.sleep(for: .seconds(60))
            #expect(try await sweep.run(until: StopFlag()) == SweepReport(examined: 1, resolved: 1))
            #expect(breaker.condition == .closed)
        }
    }

    @Test("an authorize whose delivery is gone is resolved by asking for its key, and whoever waits for it is notified")
    func askedByKey() throws {
        try World.run { world in
            try await world.leaveBehind(.authorize, key: "a", executed: true)
            try await world.time.sleep(for: .seconds(40))
            let sweep = world.reconcile()
            #expect(try await sweep.run(until: StopFlag()) == SweepReport(examined: 1, resolved: 1))
            #expect(try await world.view().payment.status == .authorized)
            try await world.relay().relayAll()
            #expect(world.replies("a").map(\.outcome) == ["succeeded"])
            #expect(world.replies("a").map(\.isReplayed) == [true])
            #expect(world.events == ["payment.authorized.v1"])
            #expect(world.bank.ledger.count == 1)
            // What its holder sent is the one that the replay accounts for.
            #expect(world.count { if case .possibleOrphan = $0 { true } else { false } } == 0)
            #expect(world.count { if case .storeRegressed = $0 { true } else { false } } == 0)
        }
    }

    @Test("an authorize that the bank knows nothing of waits for its card, and needs manual review after 23 hours")
    func abandoned() throws {
        try World.run { world in
            try await world.leaveBehind(.authorize, key: "a", executed: false)
            let sweep = world.reconcile()
            for _ in 0..<22 {
                try await world.time.sleep(for: .seconds(3_600))
                let report = try await sweep.run(until: StopFlag())
                #expect(report.needsAttention == 0 && report.resolved == 0)
            }
            try await world.time.sleep(for: .seconds(3_700))
            #expect(try await sweep.run(until: StopFlag()) == SweepReport(examined: 1, needsAttention: 1))
            #expect(try await world.view().payment.status == .pending)
            try await world.relay().relayAll()
            #expect(world.replies("a").map(\.outcome) == ["unknown"])
            #expect(world.events == ["payment.needs_attention.v1"])
            #expect(world.deadLetters.map { $0.headers[HeaderName.errorMessage] } == [.string("authorize_abandoned")])
            #expect(world.count { if case .needsAttention = $0 { true } else { false } } == 1)
            #expect(world.bank.ledger.isEmpty)
        }
    }

    @Test(
        "an expiry goes by the bank's clock alone, be it an hour ahead of ours or behind",
        arguments: [-3_600, 0, 3_600]
    )
    func expiry(_ skew: Int) throws {
        try World.run { world in
            world.bank.setClock(ahead: .seconds(skew))
            try await world.ask(.authorize, key: "a")
            let sweep = world.expire()
            try await world.time.sleep(for: .seconds(168 * 3_600))
            #expect(try await sweep.run(until: StopFlag()).resolved == 0)
            #expect(try await world.view().payment.status == .authorized)
            // Past the expiry, within the grace period: the bank is not even asked.
            try await world.time.sleep(for: .seconds(3_590))
            #expect(try await sweep.run(until: StopFlag()) == SweepReport())
            try await world.time.sleep(for: .seconds(30))
            #expect(try await sweep.run(until: StopFlag()) == SweepReport(examined: 1, resolved: 1))
            #expect(try await world.view().payment.status == .expired)
            try await world.relay().relayAll()
            #expect(world.events == ["payment.authorized.v1", "payment.expired.v1"])
            #expect(try await sweep.run(until: StopFlag()) == SweepReport())
        }
    }

    @Test("a capture after the expiry and before its proof is sent: the bank decides")
    func captureAfterExpiry() throws {
        try World.run { world in
            try await world.ask(.authorize, key: "a")
            try await world.time.sleep(for: .seconds(168 * 3_600 + 60))
            let reply = try await world.ask(.capture, key: "c")
            #expect(reply.code == "authorization_expired")
            #expect(reply.status == "EXPIRED")
            #expect(world.bank.requests.last?.operation == .capture)
            #expect(
                world.events == ["payment.authorized.v1", "payment.declined.v1", "payment.expired.v1"]
            )
        }
    }

    @Test("where that is wanted, what has expired is voided, and the bank frees its hold")
    func voided() throws {
        try World.run { world in
            try await world.ask(.authorize, key: "a")
            let before = world.bank.account(CommandMessage.number)?.available
            try await world.time.sleep(for: .seconds(170 * 3_600))
            let report = try await world.expire(voids: true).run(until: StopFlag())
            #expect(report == SweepReport(examined: 1, resolved: 1))
            let view = try await world.view()
            #expect(view.payment.status == .voided)
            #expect(view.history.map(\.to) == [.pending, .authorized, .expired, .voiding, .voided])
            #expect(world.bank.account(CommandMessage.number)?.available == before.map { $0 + 5_000 })
            try await world.relay().relayAll()
            #expect(world.replies.count == 1)
            #expect(world.events.last == "payment.voided.v1")
        }
    }

    @Test("many processors and many ticks run each slot once")
    func slots() throws {
        try World.run { world in
            let streams = (0..<3).map { _ in AsyncStream<any Delivery>.makeStream() }
            let runner = SweepRunner(
                store: world.store,
                sweeps: [.retention: RetentionSweep(store: world.store, policy: SweepPolicy())],
                time: world.time,
                random: world.random,
                observer: world.observer
            )
            await withTaskGroup(of: Void.self) { group in
                for (stream, _) in streams {
                    let consumer = SweepConsumer(runner: runner, observer: world.observer)
                    group.addTask { await consumer.consume(stream) }
                }
                group.addTask {
                    for number in 0..<100 {
                        let slot = SweepSlot(job: .retention, start: Timestamp(microseconds: Int64(number) * 1_000))
                        for (_, continuation) in streams { continuation.yield(Tick(message: SweepTick.message(slot))) }
                        try? await world.time.sleep(for: .seconds(1))
                    }
                    for (_, continuation) in streams { continuation.finish() }
                }
                await group.waitForAll()
            }
            let runs = try await world.store.runs(limit: 1_000)
            #expect(runs.count == 100)
            #expect(Set(runs.map(\.slot)).count == 100)
            #expect(runs.allSatisfy { $0.finishedAt != nil })
            #expect(world.count { if case .swept = $0 { true } else { false } } == 100)
        }
    }

    @Test("every processor says when a slot begins, once per slot, and again what the broker has not confirmed")
    func ticks() throws {
        try World.run { world in
            world.broker.inject(.lost, .refused, into: .sweeps)
            let periods: [SweepJob: Duration] = [.reconcile: .seconds(60), .expire: .seconds(300)]
            let publisher = TickPublisher(
                sink: world.broker,
                periods: periods,
                time: world.time,
                random: world.random,
                observer: world.observer
            )
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask { await publisher.run() }
                try await world.time.sleep(for: .seconds(1_500))
                group.cancelAll()
            }
            let slots = world.broker.messages(.sweeps).compactMap { SweepTick.slot(of: $0.message) }
            #expect(Set(slots).count == slots.count)
            #expect((25...27).contains(slots.count { $0.job == .reconcile }))
            #expect((5...7).contains(slots.count { $0.job == .expire }))
        }
    }

    @Test("a relay that dies between the publish and its note publishes again, the same under the same id")
    func relayDies() throws {
        try World.run { world in
            try await world.ask(.authorize, key: "a")
            try await world.leaveBehind(.capture, key: "c", executed: true)
            try await world.time.sleep(for: .seconds(40))
            _ = try await world.reconcile().run(until: StopFlag())
            world.store.inject(.unavailable, .lostBeforeCommit, into: .outbox)
            // The first fault hits the take, the second the note.
            for _ in 0..<4 {
                try await world.relay().relayAll()
                try await world.time.sleep(for: OutboxRelay.hold + .seconds(1))
            }
            world.store.inject(.lostBeforeCommit, into: .outbox)
            let finals = world.finalReplies("c")
            #expect(!finals.isEmpty)
            #expect(Set(finals.map(\.message)).count == 1)
        }
    }

    @Test("a reply whose queue is gone is recorded, and the event goes out all the same")
    func undeliverable() throws {
        try World.run { world in
            try await world.ask(.authorize, key: "a")
            try await world.leaveBehind(.capture, key: "c", executed: true, replyTo: "replies.gone")
            try await world.time.sleep(for: .seconds(40))
            _ = try await world.reconcile().run(until: StopFlag())
            world.broker.inject(.unroutable, into: .replies)
            try await world.relay().relayAll()
            #expect(world.store.undeliverable.count == 1)
            #expect(world.finalReplies("c").isEmpty)
            #expect(world.events.last == "payment.captured.v1")
        }
    }

    private struct Tick: Delivery {
        let message: Message

        func acknowledge() async {}

        func reject() async {}
    }
}
