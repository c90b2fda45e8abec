import Core
import Simulation
import Testing

@Suite("When the broker is in trouble", .timeLimit(.minutes(1)))
struct BrokerTroubleTests {
    /// For every acknowledgement, a confirm before it that belongs to it: here each delivery makes exactly one message.
    private func expectConfirmedBeforeAcknowledged(_ world: World) {
        var confirmed = 0
        var acknowledged = 0
        for event in world.broker.events {
            switch event {
            case .published(_, _, .confirmed), .published(_, _, .unroutable): confirmed += 1
            case .published(_, _, .refused): break
            case .acknowledged, .rejected: acknowledged += 1
            }
            #expect(acknowledged <= confirmed)
        }
        #expect(acknowledged > 0)
    }

    @Test("nothing is acknowledged before its reply is confirmed")
    func order() throws {
        try World.run { world in
            for number in 0..<10 {
                // One at a time, so that the order is that of one delivery.
                world.broker.inject(.refused, .lost, .lostConfirm, into: .replies)
                let before = world.broker.events.count
                world.send(.authorize, payment: World.payment(number), key: "k-\(number)")
                try await world.until { world.broker.unacknowledged == 0 }
                let events = world.broker.events.dropFirst(before)
                guard case .published(_, .replies(nil), .confirmed)? = events.dropLast().last,
                    case .acknowledged? = events.last
                else {
                    Issue.record("not acknowledged right after the confirm")
                    return
                }
            }
            expectConfirmedBeforeAcknowledged(world)
        }
    }

    @Test("nothing is acknowledged before its dead letter or its deferred copy is confirmed")
    func orderOfOthers() throws {
        try World.run { world in
            world.broker.inject(.refused, .lost, .unroutable, into: .deadLetters)
            world.send(.authorize, key: "x") { $0.type = nil }
            try await world.until { world.broker.unacknowledged == 0 }
            #expect(world.deadLetters.count == 1)
            guard case .published(_, .deadLetters, .confirmed)? = world.broker.events.dropLast().last else {
                Issue.record("not right before the acknowledgement")
                return
            }
            world.broker.inject(.refused, .lost, .unroutable, into: .retry)
            world.bank.inject(.dropBefore)
            world.send(.authorize, key: "a")
            try await world.until { world.deferred.count == 1 && world.broker.unacknowledged == 0 }
            guard case .published(_, .retry(.seconds30), .confirmed)? = world.broker.events.dropLast().last else {
                Issue.record("not right before the acknowledgement")
                return
            }
            try await world.until { !world.replies("a").isEmpty }
        }
    }

    @Test("a reply whose confirm is lost comes again, the same, and only the first says that it is no replay")
    func lostConfirm() throws {
        try World.run { world in
            world.broker.inject(.lostConfirm, into: .replies)
            world.send(.authorize, key: "a")
            try await world.until { world.broker.unacknowledged == 0 && world.replies("a").count == 2 }
            let messages = world.replies("a").map(\.message)
            #expect(Set(messages.map(\.body)).count == 1)
            #expect(Set(messages.map(\.messageID)).count == 1)
            #expect(messages.map { $0.headers[HeaderName.idempotentReplayed] } == [.bool(false), .bool(true)])
        }
    }

    @Test("nothing is acknowledged before it is recorded that nobody took its reply", arguments: [1, 20])
    func unroutableWithoutStore(seconds: Int) throws {
        try World.run { world in
            world.broker.inject(.unroutable, into: .replies)
            world.store.inject(.unavailable, .lostBeforeCommit, into: .recordNotified)
            world.send(.authorize, key: "a") { $0.replyTo = "replies.gone" }
            try await world.until { world.bank.ledger.count == 1 }
            // Once the outcome is stored and before the note is.
            try await world.time.sleep(for: .milliseconds(10))
            world.store.setDown(true)
            try await world.time.sleep(for: .seconds(seconds))
            #expect(world.store.undeliverable.isEmpty)
            #expect(world.broker.unacknowledged + world.broker.resting == 1)
            world.store.setDown(false)
            try await world.drained()
            #expect(world.store.undeliverable.count == 1 || !world.finalReplies("a").isEmpty)
        }
    }

    @Test("a reply that no queue takes is recorded, and nothing else happens; the key still fetches it")
    func unroutable() throws {
        try World.run { world in
            world.broker.inject(.unroutable, into: .replies)
            world.send(.authorize, key: "a") { $0.replyTo = "replies.gone" }
            try await world.until { world.broker.unacknowledged == 0 && !world.broker.events.isEmpty }
            #expect(world.replies("a").isEmpty)
            #expect(world.deferred.isEmpty && world.deadLetters.isEmpty)
            let operation = try #require(try await world.view().operations.first)
            #expect(world.store.undeliverable == [operation.id])
            #expect(world.count { if case .replyUndeliverable("replies.gone", _) = $0 { true } else { false } } == 1)
            let reply = try await world.ask(.authorize, key: "a")
            #expect(reply.outcome == "succeeded")
            #expect(reply.isReplayed == true)
        }
    }

    @Test("the default reply queue comes back: a reply that finds it missing is told then")
    func missingDefaultQueue() throws {
        try World.run { world in
            world.broker.inject(.unroutable, .unroutable, .unusable, into: .replies)
            world.send(.authorize, key: "a")
            try await world.until { !world.finalReplies("a").isEmpty && world.broker.unacknowledged == 0 }
            #expect(world.store.undeliverable.isEmpty)
            #expect(world.replies("a").count == 1 && world.deferred.isEmpty)
        }
    }

    @Test("an event that the broker does not take delays no acknowledgement and repeats no reply; the outbox has it")
    func refusedEvents() throws {
        for isMissing in [false, true] {
            try World.run { world in
                world.broker.setRefusing(.events, !isMissing)
                world.broker.setUnusable(.events, isMissing)
                world.send(.authorize, key: "a")
                try await world.until { !world.finalReplies("a").isEmpty && world.broker.unacknowledged == 0 }
                #expect(world.time.uptime() < .seconds(1))
                try await world.ask(.capture, key: "c")
                #expect(world.replies("a").count == 1 && world.replies("c").count == 1)
                #expect(world.deferred.isEmpty && world.broker.messages(.events).isEmpty)
                try await world.until { world.broker.unacknowledged == 0 }
                #expect(world.count { if case .eventsPostponed(1) = $0 { true } else { false } } == 2)
                let waiting = try await world.store.take(limit: 10, hold: .seconds(1))
                // One after the other, as of each payment.
                #expect(waiting.map(\.content.destination) == [.event(.authorized)])
                #expect(try await world.view().operations.allSatisfy(\.isNotified))
            }
        }
    }

    @Test("a reply that can never be published ends as undeliverable, after one try")
    func unpublishableReply() throws {
        try World.run { world in
            world.broker.inject(.unpublishable, into: .replies)
            world.send(.authorize, key: "a")
            try await world.until { world.broker.unacknowledged == 0 && !world.broker.events.isEmpty }
            let operation = try #require(try await world.view().operations.first)
            #expect(world.store.undeliverable == [operation.id])
            #expect(world.replies("a").isEmpty && world.deferred.isEmpty)
        }
    }

    @Test(
        "a copy that can never be published, and a dead letter without a queue, are left to the broker's dead-lettering"
    )
    func rejected() throws {
        try World.run { world in
            world.broker.inject(.unpublishable, into: .deadLetters)
            world.send(.authorize, key: "x") { $0.type = nil }
            try await world.until { world.broker.unacknowledged == 0 }
            #expect(world.broker.events == [.rejected(1)])
            world.broker.setUnusable(.deadLetters, true)
            world.send(.authorize, key: "y") { $0.type = nil }
            try await world.until { world.broker.unacknowledged == 0 }
            #expect(world.broker.events == [.rejected(1), .rejected(2)])
            world.bank.inject(.dropBefore)
            world.broker.inject(.unpublishable, into: .retry)
            world.send(.authorize, key: "a")
            try await world.until { world.broker.unacknowledged == 0 }
            #expect(world.broker.events.last == .rejected(3))
        }
    }

    @Test("a command whose retry tier is gone takes another; without any it goes to the end of its queue")
    func missingTier() throws {
        try World.run { world in
            world.bank.inject(.dropBefore)
            world.broker.inject(
                .unroutable,
                .unroutable,
                .unroutable,
                .unroutable,
                .unroutable,
                .unroutable,
                into: .retry
            )
            world.send(.authorize, key: "a")
            try await world.until { world.deferred.count == 1 && world.broker.unacknowledged == 0 }
            #expect(world.deferred.map(\.destination) == [.retry(.seconds5)])
            try await world.until { !world.finalReplies("a").isEmpty }
        }
        try World.run { world in
            world.bank.inject(.dropBefore)
            world.broker.setUnusable(.retry, true)
            world.send(.authorize, key: "a")
            try await world.until { !world.broker.messages(.commands).isEmpty }
            world.broker.setUnusable(.retry, false)
            try await world.until { !world.finalReplies("a").isEmpty }
            #expect(world.bank.ledger.count == 1)
        }
    }

    @Test(
        "a copy never waits much longer than it must because tiers were missing for a while",
        arguments: [(InMemoryBroker.Fault.unroutable, 8), (.unusable, 6)]
    )
    func missingForAWhile(fate: InMemoryBroker.Fault, times: Int) throws {
        try World.run { world in
            world.bank.inject(.dropBefore)
            for _ in 0..<times { world.broker.inject(fate, into: .retry) }
            world.send(.authorize, key: "a")
            try await world.until { !world.finalReplies("a").isEmpty }
            #expect(!world.deferred.contains { [.retry(.minutes10), .retry(.hour1)].contains($0.destination) })
        }
    }

    @Test(
        "a reply whose queue is full is tried again, then deferred with its command, and delivered when there is room"
    )
    func refused() throws {
        try World.run { world in
            world.broker.setRefusing(.replies, true)
            world.send(.authorize, key: "a")
            try await world.until { world.deferred.count == 2 }
            #expect(!world.deferred.contains { [.retry(.minutes10), .retry(.hour1)].contains($0.destination) })
            let refusals = world.broker.events.count { if case .published(_, _, .refused) = $0 { true } else { false } }
            #expect(refusals >= 6)
            world.broker.setRefusing(.replies, false)
            try await world.until { !world.replies("a").isEmpty }
            try await world.drained()
            #expect(world.replies("a").map(\.outcome) == ["succeeded"])
            #expect(world.bank.requests.count == 1)
        }
    }

    @Test("a reply whose queue confirms nothing is deferred with its command, and comes when the queue answers again")
    func silent() throws {
        try World.run { world in
            world.broker.setSilent("replies.silent", true)
            for number in 0..<5 {
                world.send(.authorize, payment: World.payment(number), key: "s-\(number)") { message in
                    message.replyTo = "replies.silent"
                }
            }
            try await world.until { world.broker.unacknowledged == 0 }
            #expect(world.deferred.map(\.destination) == Array(repeating: .retry(.seconds30), count: 5))
            #expect(world.count { if case .replyPostponed("replies.silent") = $0 { true } else { false } } == 5)
            #expect(world.count { if case .replyUndeliverable = $0 { true } else { false } } == 0)
            #expect(world.store.undeliverable.isEmpty)
            // Others are answered meanwhile.
            try await world.ask(.authorize, payment: World.payment(9), key: "other")
            try await world.until { world.deferred.count >= 10 }
            world.broker.setSilent("replies.silent", false)
            try await world.drained()
            #expect((0..<5).allSatisfy { world.finalReplies("s-\($0)").map(\.outcome) == ["succeeded"] })
            #expect(world.bank.requests.count == 6)
        }
    }

    @Test("a retry tier that confirms nothing is passed over for a neighbour")
    func silentTier() throws {
        try World.run { world in
            world.bank.inject(.dropBefore)
            world.broker.inject(.silent, into: .retry)
            world.send(.authorize, key: "a")
            try await world.until { world.deferred.count == 1 && world.broker.unacknowledged == 0 }
            #expect(world.deferred.map(\.destination) == [.retry(.seconds5)])
            try await world.until { !world.finalReplies("a").isEmpty }
        }
    }

    @Test("a dead letter whose queue confirms nothing is left to the broker")
    func silentDeadLetters() throws {
        try World.run { world in
            world.broker.inject(.silent, .silent, .silent, .silent, .silent, .silent, into: .deadLetters)
            world.send(.authorize, key: "x") { $0.type = nil }
            try await world.until { world.broker.unacknowledged == 0 }
            #expect(world.broker.events.contains { if case .rejected = $0 { true } else { false } })
            #expect(world.deadLetters.isEmpty)
        }
    }

    @Test("an unknown reply whose queue is full defers its command once, not twice")
    func refusedProvisional() throws {
        try World.run { world in
            world.bank.inject(.dropBefore, .dropBefore)
            world.broker.setRefusing(.replies, true)
            world.send(.authorize, key: "a")
            // Deferred for the second time: now the unknown reply was due, and refused.
            try await world.until { world.deferred.count >= 2 && world.broker.unacknowledged == 0 }
            #expect(world.deferred.count == 2)
            world.broker.setRefusing(.replies, false)
            try await world.until { !world.finalReplies("a").isEmpty }
            try await world.drained()
            #expect(world.deferred.count == 2)
            #expect(world.finalReplies("a").count == 1)
        }
    }

    @Test("a dead letter whose unknown reply is refused is not deferred as well")
    func refusedWithDeadLetter() throws {
        try World.run(consumers: { [$0.consumer(bank: LyingBank().before($0.bank))] }) { world in
            try await world.ask(.authorize, key: "a")
            world.broker.setRefusing(.replies, true)
            world.send(.capture, key: "c")
            try await world.until { world.deadLetters.count == 1 && world.broker.unacknowledged == 0 }
            try await world.drained()
            #expect(world.deferred.isEmpty)
            #expect(world.deadLetters.count == 1)
        }
    }

    @Test("what was under way when its process stopped comes again, and has one effect")
    func cancellation() throws {
        for stopAfter in [1, 5, 21, 24, 26, 28, 30] {
            let world = World()
            try StepExecutor().run(in: world.time) {
                let deliveries = world.broker.subscribe()
                try await withThrowingTaskGroup(of: Void.self) { process in
                    process.addTask { await world.serve(world.consumer(), deliveries) }
                    world.send(.authorize, key: "a")
                    try await world.time.sleep(for: .milliseconds(stopAfter))
                    process.cancelAll()
                }
                let published = world.broker.messages(.replies).count + world.deferred.count
                if world.broker.unacknowledged == 0 { #expect(published > 0) }
                world.broker.disconnect()
                let again = world.broker.subscribe()
                try await withThrowingTaskGroup(of: Void.self) { group in
                    group.addTask { await world.serve(world.consumer(), again) }
                    try await world.until { !world.finalReplies("a").isEmpty && world.broker.unacknowledged == 0 }
                    world.broker.finish()
                }
                #expect(world.bank.ledger.count == 1)
                #expect(Set(world.finalReplies("a").map(\.message.body)).count == 1)
            }
        }
    }

    @Test("a process that is stopped in mid-call acknowledges nothing")
    func cancelledInCall() throws {
        let world = World()
        try StepExecutor().run(in: world.time) {
            let deliveries = world.broker.subscribe()
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask { await world.serve(world.consumer(), deliveries) }
                world.bank.delayNext(by: .seconds(5))
                world.send(.authorize, key: "a")
                world.send(.capture, key: "c")
                try await world.until { world.bank.requests.count == 1 }
                world.store.setDown(true)
                group.cancelAll()
                try await group.waitForAll()
            }
            #expect(world.broker.unacknowledged == 2)
            #expect(world.broker.events.isEmpty)
        }
    }
}
