import Core
import Simulation
import StoreContract
import Testing

@Suite("The ingestion of dead letters", .timeLimit(.minutes(1)))
struct DeadLetterIngesterTests {
    private static let unanswerable = CommandMessage.valid(.capture) { $0.type = nil }
        .cleanCopy(adding: ["error-code": .string("invalid_command"), "error-message": .string("type: is missing")])

    private static func limit(_ occurrence: Int) -> DeadLetterOrigin {
        .broker(reason: "delivery_limit", occurrence: "\(occurrence)", at: nil)
    }

    @Test("a dead letter is kept, then acknowledged, and once however often it comes")
    func kept() throws {
        try World.run(seeds: [nil, 1], consumers: { _ in [] }) { world in
            let feed = DeadLetterFeed()
            feed.add(Self.unanswerable)
            feed.add(Self.unanswerable)
            try await world.ingesting(feed) { try await world.until { feed.unacknowledged == 0 } }
            let deadLetters = try await world.deadLetters()
            #expect(deadLetters.map(\.failure.code) == ["invalid_command"])
            #expect(try await world.store.unfinishedDeadLetters() == ["invalid_command": 1])
            #expect(world.count { if case .deadLetterKept = $0 { true } else { false } } == 1)
        }
    }

    @Test(
        "while the store is away nothing is acknowledged; a lost commit is found out",
        arguments: [[StoreFault.unavailable, .unavailable, .unavailable], [.lostAfterCommit], [.lostBeforeCommit]]
    )
    func storeAway(faults: [StoreFault]) throws {
        try World.run(seeds: [nil, 1], consumers: { _ in [] }) { world in
            for fault in faults { world.store.inject(fault, into: .deadLetters) }
            let feed = DeadLetterFeed()
            feed.add(Self.unanswerable)
            try await world.ingesting(feed) { try await world.until { feed.unacknowledged == 0 } }
            #expect(try await world.deadLetters().count == 1)
        }
    }

    @Test("a dead letter that the store refuses is kept bare; one that it refuses even so stays, and holds nothing up")
    func refused() throws {
        try World.run(seeds: [nil], consumers: { _ in [] }) { world in
            world.store.inject(.refused, .refused, .refused, into: .deadLetters)
            let feed = DeadLetterFeed()
            feed.add(Self.unanswerable)
            feed.addUnroutable(CommandMessage.valid(.void))
            feed.addUnroutable(CommandMessage.valid(.refund))
            try await world.ingesting(feed) { try await world.until { feed.unacknowledged == 1 } }
            let deadLetters = try await world.deadLetters()
            #expect(deadLetters.count == 2)
            #expect(deadLetters.contains { $0.command.kind == .void && $0.content == .nothing })
            #expect(deadLetters.contains { $0.command.kind == .refund && $0.content.isReplayable })
        }
    }

    @Test("a message that was delivered too often goes back uncut, three times, and is kept then")
    func deliveryLimit() throws {
        try World.run(seeds: [nil, 1], consumers: { _ in [] }) { world in
            let message = CommandMessage.valid(.authorize) {
                $0.headers["x-death"] = .other
                $0.headers["x-delivery-count"] = .integer(51)
            }
            for occurrence in 1...4 {
                let feed = DeadLetterFeed()
                feed.add(message, Self.limit(occurrence))
                try await world.ingesting(feed) { try await world.until { feed.unacknowledged == 0 } }
            }
            #expect(world.deferred.map(\.destination) == [.retry(.seconds5), .retry(.seconds30), .retry(.minutes2)])
            #expect(world.deferred.allSatisfy { $0.message == CommandMessage.valid(.authorize) })
            let deadLetters = try await world.deadLetters()
            #expect(deadLetters.map(\.failure.code) == ["delivery_limit"])
            #expect(deadLetters.first?.content.card == "411111******1111")
        }
    }

    @Test("a return that was cut off before its acknowledgement counts once")
    func returnedOnce() throws {
        try World.run(seeds: [nil], consumers: { _ in [] }) { world in
            for _ in 0..<5 {
                let feed = DeadLetterFeed()
                feed.add(CommandMessage.valid(.void), Self.limit(1))
                try await world.ingesting(feed) { try await world.until { feed.unacknowledged == 0 } }
            }
            #expect(world.deferred.map(\.destination) == [Destination](repeating: .retry(.seconds5), count: 5))
            #expect(try await world.deadLetters().isEmpty)
        }
    }

    @Test("those that go back come one after the other, a second apart, and each is published until it is confirmed")
    func alone() throws {
        try World.run(seeds: [nil, 1], consumers: { _ in [] }) { world in
            world.broker.inject(.lost, .refused, into: .retry)
            let feed = DeadLetterFeed()
            for number in 0..<3 {
                feed.add(CommandMessage.valid(.void) { $0.messageID = "m-\(number)" }, Self.limit(1))
            }
            let started = world.time.uptime()
            try await world.ingesting(feed) { try await world.until { feed.unacknowledged == 0 } }
            #expect(world.time.uptime() - started >= .seconds(2))
            #expect(world.deferred.map(\.message.messageID) == ["m-0", "m-1", "m-2"])
        }
    }

    @Test("the operation of a message that the broker gave up is handed to manual review when its lease is over")
    func opensOperation() throws {
        try World.run(seeds: [nil], make: { World(seed: $0, bringsBack: false) }) { world in
            try await world.ask(.authorize, key: "a")
            world.bank.inject(.dropBefore, into: .capture)
            let message = world.send(.capture, key: "c")
            try await world.until { world.deferred.count == 1 }
            try await world.time.sleep(for: .seconds(60))
            let feed = DeadLetterFeed()
            feed.addUnroutable(message)
            try await world.ingesting(feed) { try await world.until { feed.unacknowledged == 0 } }
            let view = try await world.view()
            #expect(view.operations.last?.state == .needsAttention)
            #expect(view.operations.last?.lastError == "unrouted")
            #expect(view.history.last?.cause == "capture needs attention: dead letter unrouted")

            let id = try #require(try await world.deadLetters().first?.id)
            let report = try await world.service.replay([id], by: "op")
            #expect(report.done == 1 && report.isClean)
            try await world.until { world.finalReplies("c").count == 1 }
            #expect(world.finalReplies("c").first?.outcome == "succeeded")
        }
    }

    @Test("while somebody may be at the bank for it, the operation is left alone")
    func leavesOperation() throws {
        try World.run(seeds: [nil]) { world in
            try await world.ask(.authorize, key: "a")
            world.bank.inject(.dropBefore, into: .capture)
            let message = world.send(.capture, key: "c")
            try await world.until { world.deferred.count == 1 }
            let feed = DeadLetterFeed()
            feed.addUnroutable(message)
            try await world.ingesting(feed) { try await world.until { feed.unacknowledged == 0 } }
            #expect(try await world.view().operations.last?.state == .unknown)
            try await world.until { world.finalReplies("c").count == 1 }
            #expect(world.finalReplies("c").first?.outcome == "succeeded")
        }
    }

    @Test("what no command queue takes goes back uncut, for ten minutes; then it is kept")
    func unrouted() throws {
        try World.run(seeds: [nil, 1], make: { World(seed: $0, bringsBack: false) }, consumers: { _ in [] }) { world in
            var message = CommandMessage.valid(.authorize) { $0.headers["x-death"] = .other }
            var rounds = 0
            while try await world.deadLetters().isEmpty {
                let feed = DeadLetterFeed()
                feed.add(message, .unrouted)
                try await world.ingesting(feed) { try await world.until { feed.unacknowledged == 0 } }
                if let last = world.deferred.last, world.deferred.count > rounds {
                    rounds += 1
                    #expect(last.destination == .retry(.seconds5))
                    #expect(last.message.body == message.body && last.message.headers["x-death"] == nil)
                    message = last.message
                }
                try await world.time.sleep(for: .seconds(5))
            }
            #expect((100...120).contains(rounds))
            #expect(try await world.deadLetters().map(\.failure.code) == ["unrouted"])
        }
    }

    @Test("a copy of ours does not carry on since when a message was not routed")
    func routedAgain() {
        let message = CommandMessage.valid { $0.headers[HeaderName.unroutedSince] = .integer(1) }
        #expect(message.cleanCopy() == CommandMessage.valid())
    }

    private static let expiry = DeadLetterOrigin.broker(reason: "expired", occurrence: "1", at: nil)

    @Test("a command that expired in its queue is answered, also while the bank is unavailable, and kept by nobody")
    func expired() throws {
        try World.run(consumers: { _ in [] }) { world in
            let feed = DeadLetterFeed()
            feed.add(CommandMessage.valid(.authorize, key: "a"), Self.expiry)
            feed.add(CommandMessage.valid(.void, key: "b", body: "[]"), Self.expiry)
            try await world.ingesting(feed) { try await world.until { feed.unacknowledged == 0 } }
            #expect(world.replies("a").map(\.code) == ["deadline_passed"])
            #expect(world.replies("a").first?.message.headers[HeaderName.idempotentReplayed] == .bool(false))
            #expect(world.replies("b").map(\.code) == ["invalid_command"])
            #expect(world.deferred.isEmpty && world.deadLetters.isEmpty)
            #expect(try await world.deadLetters().isEmpty)
            #expect(world.bank.requests.isEmpty)
        }
    }

    @Test("an expired duplicate of what is completed gets the stored reply, of what is open it goes on with it")
    func expiredDuplicate() throws {
        try World.run { world in
            try await world.ask(.authorize, key: "a")
            let feed = DeadLetterFeed()
            feed.add(CommandMessage.valid(.authorize, payment: World.payment, key: "a"), Self.expiry)
            try await world.ingesting(feed) { try await world.until { feed.unacknowledged == 0 } }
            #expect(world.finalReplies("a").count == 2)
            #expect(world.finalReplies("a")[0].message.body == world.finalReplies("a")[1].message.body)

            world.bank.inject(.dropBefore, into: .capture)
            let message = world.send(.capture, key: "c")
            try await world.until { world.deferred.count == 1 }
            feed.add(message, Self.expiry)
            try await world.ingesting(feed) { try await world.until { feed.unacknowledged == 0 } }
            #expect(world.deferred.last?.message.headers[HeaderName.expiredUnseen] == .bool(true))
            try await world.until { world.finalReplies("c").count == 2 }
            #expect(world.finalReplies("c").allSatisfy { $0.outcome == "succeeded" })
            #expect(world.bank.ledger.map(\.operation) == [.authorize, .capture])
        }
    }

    @Test("an expired command whose reply queue stays full is told later that it came too late, and not executed")
    func expiredAndFull() throws {
        try World.run { world in
            world.broker.inject(.refused, .refused, .refused, .refused, into: .replies)
            let feed = DeadLetterFeed()
            feed.add(CommandMessage.valid(.authorize, payment: World.payment, key: "a"), Self.expiry)
            try await world.ingesting(feed) { try await world.until { feed.unacknowledged == 0 } }
            try await world.until { world.replies("a").count == 1 }
            #expect(world.replies("a").map(\.code) == ["deadline_passed"])
            #expect(world.bank.requests.isEmpty)
        }
    }
}
