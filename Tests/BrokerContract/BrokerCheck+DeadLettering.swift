import Core
import Testing

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
