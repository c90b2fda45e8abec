import Core
import Simulation
import Testing

@Suite("Commands at the same time", .timeLimit(.minutes(2)))
struct ConcurrencyTests {
    @Test("50 deliveries of one key make one effect and 50 identical replies", arguments: [1, 2])
    func duplicates(consumers: Int) throws {
        try World.run(consumers: { world in (0..<consumers).map { _ in world.consumer() } }) { world in
            for number in 0..<50 { world.send(.authorize, key: "a") { $0.messageID = "m-\(number)" } }
            try await world.until { world.replies("a").count == 50 && world.broker.unacknowledged == 0 }
            let replies = world.replies("a")
            #expect(Set(replies.map(\.message.body)).count == 1)
            #expect(Set(replies.map(\.message.messageID)).count == 1)
            #expect(replies.count { $0.isReplayed == false } == 1)
            #expect(Set(replies.map(\.message.correlationID)).count == 50)
            #expect(world.bank.ledger.count == 1)
            #expect(world.bank.requests.count == 1)
            #expect(replies.first?.outcome == "succeeded")
        }
    }

    @Test(
        "a key in progress in another process is waited for, here where there is room, else on a retry tier",
        arguments: [64, 1]
    )
    func otherProcess(prefetch: Int) throws {
        let make = { @Sendable (seed: UInt64) in
            var world = World(seed: seed)
            world.prefetch = prefetch
            return world
        }
        try World.run(make: make, consumers: { [$0.consumer(), $0.consumer()] }) { world in
            world.bank.delayNext(by: .seconds(3))
            world.send(.authorize, key: "a", to: 0)
            try await world.until { world.bank.requests.count == 1 }
            world.send(.authorize, key: "a", to: 1)
            try await world.until { world.replies("a").count == 2 }
            #expect(world.deferred.map(\.destination) == (prefetch == 1 ? [.retry(.seconds5)] : []))
            #expect(world.bank.ledger.count == 1)
            #expect(Set(world.replies("a").map(\.message.body)).count == 1)
            #expect(world.replies("a").count { $0.isReplayed == false } == 1)
        }
    }

    @Test("a capture published right behind its authorize succeeds", arguments: [1, 2])
    func captureBehindAuthorize(consumers: Int) throws {
        try World.run(consumers: { world in (0..<consumers).map { _ in world.consumer() } }) { world in
            world.send(.authorize, key: "a", to: 0)
            // With two consumers the authorize is under way, or the payment is not known yet.
            if consumers == 2 { try await world.until { !world.bank.requests.isEmpty } }
            world.send(.capture, key: "c", to: consumers - 1)
            world.send(.refund, key: "r", body: "{}", to: consumers - 1)
            try await world.until { !world.replies("r").isEmpty && !world.replies("c").isEmpty }
            #expect(world.replies("a").map(\.outcome) == ["succeeded"])
            #expect(world.replies("c").map(\.outcome) == ["succeeded"])
            try await world.drained()
            let operations = world.bank.ledger.map(\.operation)
            #expect(operations.prefix(2) == [.authorize, .capture])
        }
    }

    @Test("of a capture and a void at the same time exactly one reaches the bank", arguments: [1, 2])
    func captureAndVoid(consumers: Int) throws {
        try World.run(
            seeds: (0..<12).map { $0 },
            consumers: { world in (0..<consumers).map { _ in world.consumer() } }
        ) { world in
            try await world.ask(.authorize, key: "a")
            world.send(.capture, key: "c", to: 0)
            world.send(.void, key: "v", to: consumers - 1)
            try await world.until { !world.replies("c").isEmpty && !world.replies("v").isEmpty }
            let outcomes = (world.replies("c") + world.replies("v")).map(\.outcome)
            #expect(Set(outcomes) == ["succeeded", "rejected"])
            #expect(world.bank.requests.count == 2)
            #expect(world.bank.ledger.count == 2)
            let codes = (world.replies("c") + world.replies("v")).compactMap(\.code)
            #expect(codes == ["invalid_transition"])
        }
    }

    @Test("different payments do not wait for each other")
    func sideBySide() throws {
        try World.run { world in
            world.bank.delayNext(by: .seconds(10))
            world.send(.authorize, payment: World.payment(1), key: "slow")
            try await world.until { world.bank.requests.count == 1 }
            try await world.ask(.authorize, payment: World.payment(2), key: "fast")
            #expect(world.replies("slow").isEmpty)
            try await world.until { !world.replies("slow").isEmpty }
        }
    }

    @Test("a command waits for the payment's holder, at most for the limit, then is told that it is busy")
    func busy() throws {
        try World.run { world in
            try await world.ask(.authorize, key: "a")
            // Never completes: what the capture did is never known.
            for _ in 0..<100 { world.bank.inject(.dropBefore, into: .capture) }
            world.send(.capture, key: "c")
            try await world.until { !world.deferred.isEmpty }
            let started = world.time.uptime()
            world.send(.void, key: "v")
            try await world.until { !world.finalReplies("v").isEmpty }
            let waited = world.time.uptime() - started
            #expect(world.replies("v").map(\.code) == ["payment_busy"])
            #expect(world.replies("v").first?.body["error"]?["retryable"] == .bool(true))
            #expect(waited >= .seconds(120) && waited < .seconds(140))
            #expect(world.bank.requests.allSatisfy { $0.operation != .void })
        }
    }

    @Test(
        "whatever a client writes into waiting-since, it waits as long as any other",
        arguments: [.min, -1, 0, .max] as [Int64]
    )
    func fakedWaitingSince(value: Int64) throws {
        try World.run { world in
            try await world.ask(.authorize, key: "a")
            for _ in 0..<100 { world.bank.inject(.dropBefore, into: .capture) }
            world.send(.capture, key: "c")
            try await world.until { !world.deferred.isEmpty }
            let started = world.time.uptime()
            world.send(.void, key: "v") { $0.headers[HeaderName.waitingSince] = .integer(value) }
            try await world.until { !world.finalReplies("v").isEmpty }
            #expect(world.replies("v").map(\.code) == ["payment_busy"])
            let waited = world.time.uptime() - started
            #expect(waited >= .seconds(120) && waited < .seconds(140))
        }
    }
}
