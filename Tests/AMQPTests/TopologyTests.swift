import AMQP
import TestSupport
import Testing

@Suite("Declaring topology", .timeLimit(.minutes(2)))
struct TopologyTests {
    @Test("a queue declared again with other arguments is refused with 406 and the broker's words, nothing else breaks")
    func mismatch() async throws {
        try await BrokerFixture.run { broker in
            let queue = try await broker.queue("q", ["x-message-ttl": 5_000])
            let other = try await broker.queue("other")
            let consumer = try await broker.connection.consume(queue: other, prefetch: 1)
            let error = await #expect(throws: AMQPError.self) {
                try await broker.connection.declareQueue(queue, arguments: ["x-message-ttl": 6_000])
            }
            #expect(error?.code == .channelClosed(replyCode: 406))
            #expect(error?.isRetriable == false)
            #expect(error?.brokerText?.contains("x-message-ttl") == true)
            #expect(error?.description.contains("x-message-ttl") == false)
            try await broker.connection.declareQueue(queue, arguments: ["x-message-ttl": 5_000])
            try await broker.publish(["still alive"], to: other)
            #expect(try await consumer.take(1).map(\.message.text) == ["still alive"])
        }
    }

    @Test("an exchange declared again as another kind is refused with 406")
    func exchangeMismatch() async throws {
        try await BrokerFixture.run { broker in
            let exchange = broker.name("x")
            try await broker.connection.declareExchange(exchange, kind: "topic")
            try await broker.connection.declareExchange(exchange, kind: "topic")
            let error = await #expect(throws: AMQPError.self) {
                try await broker.connection.declareExchange(exchange, kind: "fanout")
            }
            #expect(error?.code == .channelClosed(replyCode: 406))
            try await broker.connection.checkExchange(exchange)
        }
    }

    @Test("looking for what is not there fails with 404, once for each call under way at the same time")
    func missing() async throws {
        try await BrokerFixture.run { broker in
            let queue = try await broker.queue("q")
            try await withThrowingTaskGroup { group in
                for number in 0..<20 {
                    group.addTask {
                        let name = number.isMultiple(of: 2) ? broker.name("missing-\(number)") : queue
                        do throws(AMQPError) {
                            _ = try await broker.connection.checkQueue(name)
                            #expect(name == queue)
                        } catch {
                            #expect(error.code == .channelClosed(replyCode: 404))
                            #expect(name != queue)
                        }
                    }
                }
                try await group.waitForAll()
            }
            await #expect(throws: AMQPError.self) { try await broker.connection.checkExchange(broker.name("no")) }
        }
    }

    @Test("messages are counted, purged and deleted with their queue")
    func counts() async throws {
        try await BrokerFixture.run { broker in
            let queue = try await broker.queue("q", ["x-queue-type": "quorum"])
            try await broker.publish(["a", "b", "c"], to: queue)
            try await eventually("three messages are ready") {
                try await broker.connection.messageCount(of: queue) == 3
            }
            #expect(try await broker.connection.purgeQueue(queue) == 3)
            #expect(try await broker.connection.deleteQueue(queue) == 0)
            #expect(try await broker.connection.deleteQueue(queue) == 0)
        }
    }

    @Test("a message goes where its binding says, and nowhere once that is gone")
    func bindings() async throws {
        try await BrokerFixture.run { broker in
            let exchange = broker.name("x")
            let queue = try await broker.queue("q")
            try await broker.connection.declareExchange(exchange, kind: "direct")
            try await broker.connection.bindQueue(queue, to: exchange, routingKey: "k")
            let routed = try await broker.connection.publish(.text("1"), exchange: exchange, routingKey: "k")
            #expect(routed == .confirmed)
            try await broker.connection.unbindQueue(queue, from: exchange, routingKey: "k")
            let returned = try await broker.connection.publish(.text("2"), exchange: exchange, routingKey: "k")
            #expect(returned == .returned(replyCode: 312, replyText: "NO_ROUTE"))
        }
    }

    @Test("the broker makes up a name when none is given")
    func serverNamed() async throws {
        try await BrokerFixture.run { broker in
            let status = try await broker.connection.declareQueue("", durable: false, exclusive: true)
            #expect(status.name.hasPrefix("amq.gen-"))
            #expect(try await broker.connection.checkQueue(status.name).name == status.name)
        }
    }

    @Test("names and arguments that cannot be encoded are refused here, and never reach the broker")
    func unencodable() async throws {
        try await BrokerFixture.run { broker in
            let long = String(repeating: "x", count: 256)
            let deep = (0..<100).reduce(AMQPValue.void) { value, _ in .array([value]) }
            let tables: [AMQPTable] = [[long: 1], ["deep": deep], ["big": .bytes(.init(repeating: 0, count: 200_000))]]
            let tooLong = await #expect(throws: AMQPError.self) { try await broker.connection.declareQueue(long) }
            #expect(tooLong?.code == .invalidArgument)
            for table in tables {
                let refused = await #expect(throws: AMQPError.self) {
                    try await broker.connection.declareQueue(broker.name("q"), arguments: table)
                }
                #expect(refused?.code == .invalidArgument)
                let message = AMQPMessage(properties: AMQPProperties(headers: table))
                let unsent = await #expect(throws: AMQPError.self) {
                    try await broker.connection.publish(message, exchange: "", routingKey: "q")
                }
                #expect(unsent?.code == .invalidArgument)
                #expect(unsent?.outcomeUnknown == false)
            }
            let text = AMQPMessage(properties: AMQPProperties(correlationID: long))
            let unsent = await #expect(throws: AMQPError.self) {
                try await broker.connection.publish(text, exchange: "", routingKey: "q")
            }
            #expect(unsent?.code == .invalidArgument)
            _ = try await broker.queue("usable")
        }
    }
}
