import Core
import Testing

/// One thing that every broker must do. Run all of them as the arguments of one test, each on a topology of its own.
package struct BrokerCheck: Sendable, CustomTestStringConvertible {
    package let testDescription: String
    private let body: @Sendable (BrokerScene) async throws -> Void

    init(_ name: String, _ body: @escaping @Sendable (BrokerScene) async throws -> Void) {
        testDescription = name
        self.body = body
    }

    package func run(on subject: any BrokerUnderTest) async throws {
        try await body(BrokerScene(subject: subject))
    }

    package static var all: [BrokerCheck] { routing + consuming + deadLettering }
}

/// The steps of a check.
struct BrokerScene: Sendable {
    let subject: any BrokerUnderTest
    static let payment = "0190c3a1-7b2d-7c3e-8f4a-123456789abc"

    var names: BrokerNames { subject.names }

    func command(_ id: String, payment: String? = payment) -> Message {
        var message = Message(type: "payment.void.v1", messageID: id, body: Array("{}".utf8))
        message.headers[HeaderName.paymentID] = payment.map(HeaderValue.string)
        return message
    }

    func send(_ id: String, payment: String? = payment) async throws {
        let outcome = try await subject.publish(
            command(id, payment: payment),
            exchange: names.commandsExchange,
            routingKey: ""
        )
        #expect(outcome == .confirmed)
    }

    /// The partition that the commands of the payment go to.
    func partition() async throws -> String {
        try await send("probe")
        let queues = (0..<2).map { names.commandsQueue($0) }
        for _ in 0..<200 {
            for queue in queues where try await subject.readyCount(queue) == 1 {
                let reader = try await subject.read(queue, prefetch: 1)
                try await until { reader.received.count == 1 }
                await reader.received[0].acknowledge()
                try await reader.close()
                return queue
            }
            try await subject.pass(.milliseconds(25))
        }
        throw Unexpected()
    }

    /// Checks again and again, for at most twenty seconds.
    func until(
        sourceLocation: SourceLocation = #_sourceLocation,
        _ condition: () async throws -> Bool
    ) async throws {
        for _ in 0..<800 {
            if try await condition() { return }
            try await subject.pass(.milliseconds(25))
        }
        Issue.record("waited in vain", sourceLocation: sourceLocation)
        throw Unexpected()
    }

    struct Unexpected: Error {}
}

extension BrokerReader {
    var ids: [String] { received.compactMap(\.message.messageID) }
}

extension BrokerCheck {
    static var routing: [BrokerCheck] {
        [
            BrokerCheck("the commands of one payment go to one partition, in order") { scene in
                let queue = try await scene.partition()
                let reader = try await scene.subject.read(queue, prefetch: 64)
                let ids = (0..<20).map { "m-\($0)" }
                for id in ids { try await scene.send(id) }
                try await scene.until { reader.received.count == ids.count }
                #expect(reader.ids == ids)
                #expect(reader.received.allSatisfy { $0.message.headers["x-delivery-count"] == nil })
                try await reader.close()
            },
            BrokerCheck("a command without a payment id lands in some partition") { scene in
                try await scene.send("m", payment: nil)
                try await scene.until {
                    var count = 0
                    for number in 0..<2 {
                        count += try await scene.subject.readyCount(scene.names.commandsQueue(number))
                    }
                    return count == 1
                }
                #expect(try await scene.subject.readyCount(scene.names.unrouted) == 0)
            },
            BrokerCheck("a reply is confirmed, returned or refused: by its queue") { scene in
                let (here, full) = ("\(scene.names.prefix).here", "\(scene.names.prefix).full")
                try await scene.subject.declareReplyQueue(here, isFull: false)
                try await scene.subject.declareReplyQueue(full, isFull: true)
                let message = scene.command("r")
                #expect(try await scene.subject.publish(message, exchange: "", routingKey: here) == .confirmed)
                #expect(try await scene.subject.publish(message, exchange: "", routingKey: full) == .refused)
                let missing = "\(scene.names.prefix).missing"
                #expect(try await scene.subject.publish(message, exchange: "", routingKey: missing) == .unroutable)
            },
        ]
    }
}

extension BrokerCheck {
    static var consuming: [BrokerCheck] {
        [
            BrokerCheck("one consumer is active; the next gets what it leaves, in order and counted") { scene in
                let queue = try await scene.partition()
                let first = try await scene.subject.read(queue, prefetch: 64)
                let second = try await scene.subject.read(queue, prefetch: 64)
                for id in ["a", "b", "c"] { try await scene.send(id) }
                try await scene.until { first.received.count == 3 }
                #expect(second.received.isEmpty)
                await first.received[0].acknowledge()
                try await scene.subject.pass(.milliseconds(100))
                try await first.close()
                try await scene.until { second.received.count == 2 }
                #expect(second.ids == ["b", "c"])
                let counts = second.received.map { $0.message.headers["x-delivery-count"]?.integer }
                #expect(counts == [1, 1])
                try await scene.send("d")
                try await scene.until { second.received.count == 3 }
                #expect(second.ids.last == "d")
                try await second.close()
            },
            BrokerCheck("no more than the prefetch is unacknowledged") { scene in
                let queue = try await scene.partition()
                let reader = try await scene.subject.read(queue, prefetch: 2)
                for id in ["a", "b", "c", "d"] { try await scene.send(id) }
                try await scene.until { reader.received.count == 2 }
                try await scene.subject.pass(.milliseconds(200))
                #expect(reader.ids == ["a", "b"])
                await reader.received[0].acknowledge()
                try await scene.until { reader.received.count == 3 }
                #expect(reader.ids == ["a", "b", "c"])
                try await reader.close()
            },
            BrokerCheck("who cancels may still acknowledge what it has, and the next is active at once") { scene in
                let queue = try await scene.partition()
                let first = try await scene.subject.read(queue, prefetch: 1)
                let second = try await scene.subject.read(queue, prefetch: 64)
                for id in ["a", "b"] { try await scene.send(id) }
                try await scene.until { first.received.count == 1 }
                try await first.cancel()
                try await scene.until { second.received.count == 1 }
                #expect(second.ids == ["b"])
                await first.received[0].acknowledge()
                try await scene.subject.pass(.milliseconds(200))
                try await first.close()
                try await scene.subject.pass(.milliseconds(200))
                #expect(second.ids == ["b"])
                try await second.close()
            },
        ]
    }
}

extension BrokerCheck {
    static var deadLettering: [BrokerCheck] {
        [
            BrokerCheck("a retry tier brings a copy back when its time is up, and not before, marked by x-death") {
                scene in
                let queue = try await scene.partition()
                let reader = try await scene.subject.read(queue, prefetch: 64)
                let outcome = try await scene.subject.publish(
                    scene.command("parked"),
                    exchange: scene.names.retryExchange,
                    routingKey: RetryTier.seconds5.rawValue
                )
                #expect(outcome == .confirmed)
                try await scene.subject.pass(.seconds(4))
                #expect(reader.received.isEmpty)
                try await scene.until { reader.received.count == 1 }
                #expect(reader.ids == ["parked"])
                #expect(reader.received[0].message.headers["x-death"] != nil)
                #expect(reader.received[0].message.headers[HeaderName.paymentID] == .string(BrokerScene.payment))
                try await reader.close()
            },
            BrokerCheck("what comes back too often becomes a dead letter; copied with its headers it may vanish") {
                scene in
                let queue = try await scene.partition()
                try await scene.send("poison")
                let deadLetters = try await scene.subject.read(scene.names.deadLetters, prefetch: 64)
                var returns = 0
                while deadLetters.received.isEmpty, returns < 60 {
                    let reader = try await scene.subject.read(queue, prefetch: 1)
                    try await scene.until { !reader.received.isEmpty || !deadLetters.received.isEmpty }
                    if !reader.received.isEmpty { returns += 1 }
                    try await reader.close()
                }
                // The topology's limit is 50.
                #expect((50...51).contains(returns))
                let deadLetter = try #require(deadLetters.received.first)
                #expect(deadLetter.message.messageID == "poison")
                #expect(deadLetter.message.headers["x-death"] != nil)

                // By way of the retry tiers: once with all its headers, once clean
                // (docs/correctness.md#copied-headers).
                let back = try await scene.subject.read(queue, prefetch: 64)
                let tier = RetryTier.seconds5.rawValue
                #expect(try await deadLetter.republish(scene.names.retryExchange, tier) == .confirmed)
                var clean = deadLetter.message.cleanCopy()
                clean.messageID = "clean"
                let outcome = try await scene.subject.publish(
                    clean,
                    exchange: scene.names.retryExchange,
                    routingKey: tier
                )
                #expect(outcome == .confirmed)
                try await scene.until { back.ids.contains("clean") }
                try await scene.subject.pass(.milliseconds(500))
                if let drops = scene.subject.dropsCycles { #expect(back.ids.contains("poison") == !drops) }
                try await back.close()
                try await deadLetters.close()
            },
        ]
    }
}
