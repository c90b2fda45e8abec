import AMQP
import TestSupport
import Testing

@Suite("Consuming", .timeLimit(.minutes(2)))
struct ConsumingTests {
    @Test(
        "what was acknowledged is gone, what was not comes again, marked as redelivered",
        arguments: ["classic", "quorum"]
    )
    func redelivery(kind: String) async throws {
        try await BrokerFixture.run { broker in
            let queue = try await broker.queue("q", ["x-queue-type": .string(kind)])
            try await broker.publish(["a", "b", "c"], to: queue)
            let first = try await broker.connect()
            let deliveries = try await first.consume(queue: queue, prefetch: 10).take(3)
            #expect(deliveries.map(\.message.text) == ["a", "b", "c"])
            #expect(deliveries.allSatisfy { !$0.redelivered })
            try deliveries[0].acknowledge()
            try deliveries[2].acknowledge()
            await first.close()
            let again = try await broker.connection.consume(queue: queue, prefetch: 10).take(1)
            #expect(again.map(\.message.text) == ["b"])
            #expect(again.map(\.redelivered) == [true])
            try again[0].acknowledge()
            try again[0].acknowledge()
            try await eventually("the queue is empty") { try await broker.connection.messageCount(of: queue) == 0 }
        }
    }

    @Test("no more are delivered than the prefetch allows, and one more for each acknowledged")
    func prefetch() async throws {
        try await BrokerFixture.run { broker in
            let queue = try await broker.queue("q")
            try await broker.publish((0..<10).map(String.init), to: queue)
            let consumer = try await broker.connection.consume(queue: queue, prefetch: 3)
            let deliveries = try await consumer.take(3)
            #expect(try await broker.connection.messageCount(of: queue) == 7)
            try deliveries[1].acknowledge()
            #expect(try await consumer.take(1).map(\.message.text) == ["3"])
            #expect(try await broker.connection.messageCount(of: queue) == 6)
        }
    }

    @Test("a rejected message goes back to the queue, or to the dead letters")
    func rejection() async throws {
        try await BrokerFixture.run { broker in
            let dead = try await broker.queue("dead")
            let queue = try await broker.queue(
                "q",
                ["x-dead-letter-exchange": "", "x-dead-letter-routing-key": .string(dead)]
            )
            try await broker.publish(["a"], to: queue)
            let consumer = try await broker.connection.consume(queue: queue, prefetch: 5)
            try await consumer.take(1).first?.reject(requeue: true)
            let again = try #require(await consumer.take(1).first)
            #expect(again.redelivered)
            try again.reject(requeue: false)
            let deadLetter = try await broker.connection.consume(queue: dead, prefetch: 5).take(1).first
            #expect(deadLetter?.message.text == "a")
            let deaths = deadLetter?.message.properties.headers["x-death"]?.arrayValue
            #expect(deaths?.first?.tableValue?["reason"] == "rejected")
            #expect(deaths?.first?.tableValue?["count"]?.intValue == 1)
        }
    }

    @Test("eight consumers share a connection, finish in any order, and nothing is left or comes twice")
    func partitions() async throws {
        try await BrokerFixture.run { broker in
            var queues: [String] = []
            for number in 0..<8 {
                queues.append(try await broker.queue("q\(number)", ["x-queue-type": "quorum"]))
                try await broker.publish((0..<40).map(String.init), to: queues[number])
            }
            let consumers = try await broker.connect()
            try await withThrowingTaskGroup { group in
                for queue in queues {
                    let consumer = try await consumers.consume(queue: queue, prefetch: 7)
                    group.addTask {
                        for number in 0..<20 {
                            let pair = try await consumer.take(2)
                            #expect(pair.map(\.message.text) == ["\(2 * number)", "\(2 * number + 1)"])
                            #expect(pair.allSatisfy { !$0.redelivered })
                            for delivery in pair.reversed() { try delivery.acknowledge() }
                        }
                    }
                }
                try await group.waitForAll()
            }
            await consumers.close()
            for queue in queues {
                try await eventually("nothing is left") {
                    try await broker.connection.messageCount(of: queue) == 0
                }
            }
        }
    }

    @Test("after a cancel what was delivered is still yielded and can be settled, and nothing else comes")
    func cancelAndDrain() async throws {
        try await BrokerFixture.run { broker in
            let queue = try await broker.queue("q")
            try await broker.publish(["a", "b", "c", "d", "e"], to: queue)
            let consumer = try await broker.connection.consume(queue: queue, prefetch: 4)
            var iterator = consumer.makeAsyncIterator()
            let first = try #require(await iterator.next())
            try await eventually("four are delivered") { try await broker.connection.messageCount(of: queue) == 1 }
            try await consumer.cancel()
            try await consumer.cancel()
            try first.acknowledge()
            var rest: [String] = []
            while let delivery = try await iterator.next() {
                rest.append(delivery.message.text)
                try delivery.acknowledge()
            }
            #expect(rest == ["b", "c", "d"])
            #expect(try await iterator.next() == nil)
            let status = try await broker.connection.checkQueue(queue)
            #expect(status.consumerCount == 0)
            #expect(status.messageCount == 1)
            let last = try await broker.connection.consume(queue: queue, prefetch: 4).take(1)
            #expect(last.map(\.message.text) == ["e"])
            #expect(last.allSatisfy { !$0.redelivered })
        }
    }

    @Test("a deleted queue ends its consumer with an error, after what was delivered, and no other consumer")
    func queueDeleted() async throws {
        try await BrokerFixture.run { broker in
            let doomed = try await broker.queue("doomed")
            let other = try await broker.queue("other")
            try await broker.publish(["last"], to: doomed)
            let consumer = try await broker.connection.consume(queue: doomed, prefetch: 2)
            let neighbour = try await broker.connection.consume(queue: other, prefetch: 2)
            try await eventually("it is delivered") { try await broker.connection.messageCount(of: doomed) == 0 }
            try await broker.connection.deleteQueue(doomed)
            var iterator = consumer.makeAsyncIterator()
            let last = try #require(await iterator.next())
            #expect(last.message.text == "last")
            try last.acknowledge()
            await #expect(throws: AMQPError(.cancelledByBroker)) { try await iterator.next() }
            #expect(try await iterator.next() == nil)
            try await broker.publish(["goes on"], to: other)
            #expect(try await neighbour.take(1).map(\.message.text) == ["goes on"])
        }
    }

    @Test("a queue that is not there is refused with 404 and leaves the other consumers alone")
    func missingQueue() async throws {
        try await BrokerFixture.run { broker in
            let queue = try await broker.queue("q")
            let consumer = try await broker.connection.consume(queue: queue, prefetch: 1)
            let error = await #expect(throws: AMQPError.self) {
                try await broker.connection.consume(queue: broker.name("missing"), prefetch: 1)
            }
            #expect(error?.code == .channelClosed(replyCode: 404))
            try await broker.publish(["a"], to: queue)
            #expect(try await consumer.take(1).count == 1)
        }
    }

    @Test("a consumer that is refused leaves the others alone, and its channel is used again")
    func channelClosed() async throws {
        try await BrokerFixture.run { broker in
            let queue = try await broker.queue("q")
            let taken = try await broker.queue("taken")
            try await broker.publish(["a", "b"], to: queue)
            let owner = try await broker.connect()
            _ = try await owner.consume(queue: taken, prefetch: 1, exclusive: true)
            let consumer = try await broker.connection.consume(queue: queue, prefetch: 1)
            var iterator = consumer.makeAsyncIterator()
            let delivery = try #require(await iterator.next())
            let refused = await #expect(throws: AMQPError.self) {
                try await broker.connection.consume(queue: taken, prefetch: 1)
            }
            #expect(refused?.code == .channelClosed(replyCode: 403))
            try delivery.acknowledge()
            let next = try #require(await iterator.next())
            #expect(next.message.text == "b")
            await owner.close()
            try await broker.publish(["c"], to: taken)
            let again = try await broker.connection.consume(queue: taken, prefetch: 2).take(1)
            #expect(again.map(\.message.text) == ["c"])
        }
    }

    @Test("what a closed consumer has not settled is next, in its order, for whoever waits for the queue")
    func closeGivesBack() async throws {
        try await BrokerFixture.run { broker in
            let queue = try await broker.queue("q", ["x-queue-type": "quorum", "x-single-active-consumer": true])
            let consumer = try await broker.connection.consume(queue: queue, prefetch: 4)
            let neighbour = try await broker.connection.consume(queue: broker.queue("other"), prefetch: 1)
            let waiting = try await broker.connect().consume(queue: queue, prefetch: 10)
            try await broker.publish((0..<8).map(String.init), to: queue)
            let taken = try await consumer.take(3)
            try taken[1].acknowledge()
            try await eventually("its place is taken by another") {
                try await broker.connection.checkQueue(queue).messageCount == 3
            }
            consumer.stop()
            #expect(try await consumer.take(1).isEmpty)
            try taken[0].acknowledge()
            await consumer.close()
            let settling = #expect(throws: AMQPError.self) { try taken[2].acknowledge() }
            #expect(settling?.code == .closed)
            #expect(try await waiting.take(6).map(\.message.text) == ["2", "3", "4", "5", "6", "7"])
            try await broker.publish(["goes on"], to: neighbour.queue)
            #expect(try await neighbour.take(1).map(\.message.text) == ["goes on"])
            await consumer.close()
        }
    }

    @Test("a thousand subscriptions one after the other use few channels")
    func channelsAreUsedAgain() async throws {
        try await BrokerFixture.run { broker in
            let queue = try await broker.queue("q")
            for round in 0..<1_000 {
                let consumer = try await broker.connection.consume(queue: queue, prefetch: 1)
                guard round % 2 == 0 else {
                    await consumer.close()
                    continue
                }
                try await broker.publish(["a"], to: queue)
                let delivery = try #require(await consumer.take(1).first)
                try await consumer.cancel()
                if round % 4 == 0 { try delivery.acknowledge() } else { try delivery.reject(requeue: false) }
            }
            #expect(try await broker.connection.messageCount(of: queue) == 0)
            #expect(await broker.connection.consumerChannels < 10)
        }
    }

    @Test("a lost connection ends the sequence with that, and settling throws")
    func lost() async throws {
        try await BrokerFixture.run { broker in
            let queue = try await broker.queue("q")
            try await broker.publish(["a"], to: queue)
            let proxied = try await ProxiedConnection(broker.configuration)
            var iterator = try await proxied.connection.consume(queue: queue, prefetch: 2).makeAsyncIterator()
            let delivery = try #require(await iterator.next())
            proxied.proxy.cutConnections()
            let error = await #expect(throws: AMQPError.self) { try await iterator.next() }
            #expect(error?.code == .connectionLost)
            let settling = #expect(throws: AMQPError.self) { try delivery.acknowledge() }
            #expect(settling?.code == .connectionLost)
        }
    }

    @Test("closing the connection ends the sequence without an error")
    func closed() async throws {
        try await BrokerFixture.run { broker in
            let queue = try await broker.queue("q")
            let connection = try await broker.connect()
            let consumer = try await connection.consume(queue: queue, prefetch: 2)
            let waiting = Task { try await consumer.take(1).count }
            await connection.close()
            #expect(try await waiting.value == 0)
        }
    }

    @Test("a cancelled task gets nil, and what comes later is there for the next who asks")
    func cancelledIteration() async throws {
        try await BrokerFixture.run { broker in
            let queue = try await broker.queue("q")
            let consumer = try await broker.connection.consume(queue: queue, prefetch: 2)
            let waiting = Task { try await consumer.take(1).count }
            waiting.cancel()
            #expect(try await waiting.value == 0)
            try await broker.publish(["a"], to: queue)
            #expect(try await consumer.take(1).map(\.message.text) == ["a"])
        }
    }
}
