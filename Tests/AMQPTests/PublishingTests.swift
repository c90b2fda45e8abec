import AMQP
import TestSupport
import Testing

@Suite("Publishing", .timeLimit(.minutes(2)))
struct PublishingTests {
    @Test("five thousand messages at once are all confirmed and all there")
    func many() async throws {
        try await BrokerFixture.run { broker in
            let queue = try await broker.queue("q", ["x-queue-type": "quorum"])
            let confirmed = try await withThrowingTaskGroup(of: Bool.self) { group in
                for number in 0..<5_000 {
                    group.addTask {
                        try await broker.connection.publish(
                            .text("\(number)"),
                            exchange: "",
                            routingKey: queue,
                            timeout: .seconds(60)
                        ) == .confirmed
                    }
                }
                return try await group.reduce(into: 0) { $0 += $1 ? 1 : 0 }
            }
            #expect(confirmed == 5_000)
            try await eventually("all messages are ready") {
                try await broker.connection.messageCount(of: queue) == 5_000
            }
        }
    }

    @Test("in a burst every unroutable message is returned to its own caller, and no other")
    func returns() async throws {
        try await BrokerFixture.run { broker in
            let queue = try await broker.queue("q", ["x-queue-type": "quorum"])
            try await withThrowingTaskGroup { group in
                for number in 0..<600 {
                    group.addTask {
                        let isRoutable = !number.isMultiple(of: 3)
                        // Some alike in everything, some with the same body and different ids.
                        let outcome = try await broker.connection.publish(
                            .text("\(number % 4)", id: number.isMultiple(of: 2) ? "\(number)" : nil),
                            exchange: "",
                            routingKey: isRoutable ? queue : broker.name("nowhere"),
                            mandatory: true
                        )
                        let expected = AMQPPublishOutcome.returned(replyCode: 312, replyText: "NO_ROUTE")
                        #expect(outcome == (isRoutable ? .confirmed : expected))
                    }
                }
                try await group.waitForAll()
            }
            try await eventually("the routable ones are ready") {
                try await broker.connection.messageCount(of: queue) == 400
            }
        }
    }

    @Test("messages to more queues than there are channels are all answered, at once and one after the other")
    func manyQueues() async throws {
        try await BrokerFixture.run { broker in
            let queue = try await broker.queue("q", ["x-queue-type": "quorum"])
            @Sendable func publish(_ number: Int) async throws {
                let key = number.isMultiple(of: 10) ? queue : broker.name("nowhere.\(number)")
                let outcome = try await broker.connection.publish(.text("\(number)"), exchange: "", routingKey: key)
                let returned = AMQPPublishOutcome.returned(replyCode: 312, replyText: "NO_ROUTE")
                #expect(outcome == (number.isMultiple(of: 10) ? .confirmed : returned))
            }
            try await withThrowingTaskGroup { group in
                for number in 0..<600 { group.addTask { try await publish(number) } }
                try await group.waitForAll()
            }
            for number in 1_000..<1_600 { try await publish(number) }
            #expect(broker.connection.isUsable)
        }
    }

    @Test("a message to nowhere that is not mandatory is confirmed")
    func optional() async throws {
        try await BrokerFixture.run { broker in
            let outcome = try await broker.connection.publish(
                .text("x"),
                exchange: "",
                routingKey: broker.name("nowhere"),
                mandatory: false
            )
            #expect(outcome == .confirmed)
        }
    }

    @Test("a full queue that rejects makes a nack")
    func overflow() async throws {
        try await BrokerFixture.run { broker in
            let queue = try await broker.queue("q", ["x-overflow": "reject-publish", "x-max-length": 1])
            try await broker.publish(["fits"], to: queue)
            let outcome = try await broker.connection.publish(.text("too much"), exchange: "", routingKey: queue)
            #expect(outcome == .nacked)
            #expect(try await broker.connection.messageCount(of: queue) == 1)
        }
    }

    @Test("refusals renew the channel: everything is answered meanwhile, and what there is room for is there")
    func refusals() async throws {
        try await BrokerFixture.run { broker in
            let arguments: AMQPTable = ["x-queue-type": "quorum", "x-overflow": "reject-publish", "x-max-length": 100]
            let queue = try await broker.queue("q", arguments)
            let rounds = 5
            for round in 0..<rounds {
                let refused = try await withThrowingTaskGroup(of: Bool.self) { group in
                    for number in 0..<600 {
                        group.addTask {
                            try await broker.connection.publish(
                                .text("\(round) \(number)"),
                                exchange: "",
                                routingKey: queue,
                                timeout: .seconds(60)
                            ) == .nacked
                        }
                    }
                    return try await group.reduce(into: 0) { $0 += $1 ? 1 : 0 }
                }
                #expect(refused > 0)
                let count = try await broker.connection.messageCount(of: queue)
                #expect(count == 600 - refused)
                _ = try await broker.connection.purgeQueue(queue)
            }
            // It may say for a moment yet that it is full.
            try await eventually("there is room again") {
                try await broker.connection.publish(.text("first"), exchange: "", routingKey: queue) == .confirmed
            }
            #expect(broker.connection.isUsable)
        }
    }

    @Test("an exchange that is not there fails what waits, with unknown outcome, and nothing that comes later")
    func missingExchange() async throws {
        try await BrokerFixture.run { broker in
            let queue = try await broker.queue("q")
            let error = await #expect(throws: AMQPError.self) {
                try await broker.connection.publish(.text("x"), exchange: broker.name("no"), routingKey: "k")
            }
            #expect(error?.code == .channelClosed(replyCode: 404))
            #expect(error?.outcomeUnknown == true)
            try await broker.publish(["a", "b"], to: queue)
        }
    }

    @Test("an exchange that is not there fails nothing that goes elsewhere at the same time")
    func missingExchangeAmongOthers() async throws {
        try await BrokerFixture.run { broker in
            let queue = try await broker.queue("q", ["x-queue-type": "quorum"])
            let nowhere = broker.name("no")
            try await withThrowingTaskGroup { group in
                for number in 0..<300 {
                    group.addTask {
                        guard number.isMultiple(of: 10) else {
                            let outcome = try await broker.connection.publish(
                                .text("\(number)"),
                                exchange: "",
                                routingKey: queue
                            )
                            #expect(outcome == .confirmed)
                            return
                        }
                        let error = await #expect(throws: AMQPError.self) {
                            try await broker.connection.publish(.text("x"), exchange: nowhere, routingKey: "k")
                        }
                        #expect(error?.code == .channelClosed(replyCode: 404))
                    }
                }
                try await group.waitForAll()
            }
            #expect(try await broker.connection.messageCount(of: queue) == 270)
        }
    }

    @Test("of messages that go alone only the one fails that the broker does not take")
    func alone() async throws {
        try await BrokerFixture.run { broker in
            let queue = try await broker.queue("q")
            try await withThrowingTaskGroup { group in
                for number in 0..<20 {
                    group.addTask {
                        var message = AMQPMessage.text("\(number)")
                        // Not the connection's user: 406.
                        if number == 7 { message.properties.userID = "somebody-else" }
                        do throws(AMQPError) {
                            let outcome = try await broker.connection.publish(
                                message,
                                exchange: "",
                                routingKey: queue,
                                alone: true
                            )
                            #expect(number != 7 && outcome == .confirmed)
                        } catch {
                            #expect(number == 7 && error.code == .channelClosed(replyCode: 406))
                        }
                    }
                }
                try await group.waitForAll()
            }
        }
    }

    @Test("while the broker is silent a timeout or a cancellation ends the wait, and later confirms are matched")
    func gone() async throws {
        try await BrokerFixture.run { broker in
            let queue = try await broker.queue("q")
            let proxied = try await ProxiedConnection(broker.configuration)
            let connection = proxied.connection
            #expect(try await connection.publish(.text("0"), exchange: "", routingKey: queue) == .confirmed)
            proxied.proxy.setStalled(.toClient, true)
            let cancelled = Task { try await connection.publish(.text("1"), exchange: "", routingKey: queue) }
            let nowhere = broker.name("nowhere")
            let returned = Task { try await connection.publish(.text("2"), exchange: "", routingKey: nowhere) }
            let timedOut = await #expect(throws: AMQPError.self) {
                try await connection.publish(.text("3"), exchange: "", routingKey: queue, timeout: .milliseconds(50))
            }
            #expect(timedOut == AMQPError(.confirmTimeout, outcomeUnknown: true))
            // Delivered, so certainly written.
            try await eventually("the messages have reached the broker") {
                try await broker.connection.messageCount(of: queue) == 3
            }
            cancelled.cancel()
            await #expect(throws: AMQPError(.cancelled, outcomeUnknown: true)) { try await cancelled.value }
            let confirmed = Task { try await connection.publish(.text("4"), exchange: "", routingKey: queue) }
            proxied.proxy.setStalled(.toClient, false)
            #expect(try await returned.value == .returned(replyCode: 312, replyText: "NO_ROUTE"))
            #expect(try await confirmed.value == .confirmed)
            #expect(try await connection.publish(.text("5"), exchange: "", routingKey: queue) == .confirmed)
            await proxied.close()
        }
    }

    @Test("a cancelled task publishes nothing it could wait for")
    func cancelledBefore() async throws {
        try await BrokerFixture.run { broker in
            let queue = try await broker.queue("q")
            let task = Task {
                while !Task.isCancelled { await Task.yield() }
                return try await broker.connection.publish(.text("x"), exchange: "", routingKey: queue)
            }
            task.cancel()
            let error = await #expect(throws: AMQPError.self) { try await task.value }
            #expect(error?.code == .cancelled)
            try await broker.publish(["a"], to: queue)
        }
    }

    @Test("a lost connection fails what was written with unknown outcome, and everything later without")
    func lost() async throws {
        try await BrokerFixture.run { broker in
            let queue = try await broker.queue("q")
            let proxied = try await ProxiedConnection(broker.configuration)
            let connection = proxied.connection
            #expect(try await connection.publish(.text("0"), exchange: "", routingKey: queue) == .confirmed)
            proxied.proxy.setStalled(.toClient, true)
            let waiting = Task { try await connection.publish(.text("1"), exchange: "", routingKey: queue) }
            try await eventually("the message has reached the broker") {
                try await broker.connection.messageCount(of: queue) == 2
            }
            proxied.proxy.cutConnections()
            let error = await #expect(throws: AMQPError.self) { try await waiting.value }
            #expect(error?.code == .connectionLost)
            #expect(error?.outcomeUnknown == true)
            #expect(error?.isRetriable == true)
            #expect(await connection.untilClosed().code == .connectionLost)
            let later = await #expect(throws: AMQPError.self) {
                try await connection.publish(.text("2"), exchange: "", routingKey: queue)
            }
            #expect(later?.code == .connectionLost)
            #expect(later?.outcomeUnknown == false)
            #expect(!connection.isUsable)
        }
    }

    @Test("while the broker blocks, messages wait unsent: until their timeout, or until it unblocks")
    func blocked() async throws {
        try await BrokerFixture.run { broker in
            let queue = try await broker.queue("q")
            let (events, continuation) = AsyncStream<AMQPConnectionEvent>.makeStream()
            let proxied = try await ProxiedConnection(broker.configuration) { continuation.yield($0) }
            let connection = proxied.connection
            var iterator = events.makeAsyncIterator()
            #expect(try await connection.publish(.text("0"), exchange: "", routingKey: queue) == .confirmed)

            proxied.proxy.injectToClients(.method(10, 60, [3] + Array("low".utf8)))
            #expect(await iterator.next() == .blocked(reason: "low"))
            #expect(await connection.isBlocked)
            let waiting = Task { try await connection.publish(.text("1"), exchange: "", routingKey: queue) }
            await #expect(throws: AMQPError(.confirmTimeout)) {
                try await connection.publish(.text("2"), exchange: "", routingKey: queue, timeout: .milliseconds(50))
            }
            #expect(try await broker.connection.messageCount(of: queue) == 1)

            proxied.proxy.injectToClients(.method(10, 61, []))
            #expect(await iterator.next() == .unblocked)
            #expect(try await waiting.value == .confirmed)
            #expect(try await broker.connection.messageCount(of: queue) == 2)
            await proxied.close()
            #expect(await iterator.next() == .closed(AMQPError(.closed)))
        }
    }
}
