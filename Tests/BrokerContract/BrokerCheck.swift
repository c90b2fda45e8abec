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
