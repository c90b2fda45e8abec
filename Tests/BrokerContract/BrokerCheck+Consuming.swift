import Core
import Testing

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
