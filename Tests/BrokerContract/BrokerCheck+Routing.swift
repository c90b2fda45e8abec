import Core
import Testing

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
