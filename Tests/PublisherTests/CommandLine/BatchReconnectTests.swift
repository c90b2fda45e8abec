import AMQP
import Core
import Foundation
import PaymentCommands
import TestSupport
import Testing

@testable import Publisher

@Suite(
    "A batch whose connection is lost",
    .enabled(if: !FakeProcessor.url.isEmpty, "AMQP_URL names no broker"),
    .serialized,
    .timeLimit(.minutes(5))
)
struct BatchReconnectTests {
    /// Keeps the answers of the processor: the same command gets the same one.
    private static let once: @Sendable (Command) -> [FakeProcessor.Answer] = { _ in [.outcome(.succeeded)] }

    @Test("goes on under the same keys, and all is answered")
    func goesOn() async throws {
        try await FakeProcessor.run(answering: Self.once) { processor in
            let proxy = try Self.proxy()
            defer { proxy.stop() }
            let lines = (0..<2_000).map { Fixture.authorizeLine(key: "k-\($0)") }
            let process = try Self.start(["--json", "--window", "50"], processor, lines, through: proxy)
            for count in [100, 700, 1_500] {
                try await processor.commandsCome(count)
                proxy.cutConnections()
            }
            let result = try await process.result()
            #expect(result.status == 0, "\(result.errors)")
            #expect(result.errors.contains("connecting again"))
            let output = result.output.split(separator: "\n").map(String.init)
            #expect(output.last?.contains(#""no_reply":0,"rejected":0"#) == true)
            #expect(output.last?.contains(#""sent":2000,"succeeded":2000"#) == true)
            #expect(output.count == 2_001)
            let keys = Set(processor.commands.map { $0.properties.headers["idempotency-key"]?.stringValue })
            #expect(keys.count == 2_000)
            // What is sent again is the same message: the same payment, the same message id.
            let pairs = Set(
                processor.commands.map { command in
                    [command.properties.messageID, command.properties.headers["payment-id"]?.stringValue]
                }
            )
            #expect(pairs.count == 2_000)
        }
    }

    @Test("sends what it sends again in the order of the file")
    func order() async throws {
        let ids = (0..<40).map { _ in Identifier.unique().description }
        let lines = (0..<5).flatMap { step in
            ids.map { #"{"operation":"void","payment_id":"\#($0)","idempotency_key":"\#(step)"}"# }
        }
        try await FakeProcessor.run(answering: Self.once) { processor in
            let proxy = try Self.proxy()
            defer { proxy.stop() }
            let process = try Self.start(["--json", "--window", "20"], processor, lines, through: proxy)
            try await processor.commandsCome(60)
            proxy.cutConnections()
            let result = try await process.result()
            #expect(result.status == 0, "\(result.errors)")
            var steps: [String: [Int]] = [:]
            for command in processor.commands {
                let headers = command.properties.headers
                let id = try #require(headers["payment-id"]?.stringValue)
                let key = try #require(headers["idempotency-key"]?.stringValue)
                steps[id, default: []].append(try #require(Int(key)))
            }
            // Each first comes after the first of the step before it.
            for (id, steps) in steps {
                var firsts: [Int] = []
                for step in steps where !firsts.contains(step) { firsts.append(step) }
                #expect(firsts == [0, 1, 2, 3, 4], "\(id): \(steps)")
            }
        }
    }

    @Test("and cannot be made again ends with 4, and names every command without a final reply")
    func neverAgain() async throws {
        let answers: @Sendable (Command) -> [FakeProcessor.Answer] = {
            $0.idempotencyKey.description == "a" ? [.outcome(.succeeded)] : []
        }
        try await FakeProcessor.run(answering: answers) { processor in
            let proxy = try Self.proxy()
            defer { proxy.stop() }
            let lines = ["a", "b", "c"].map { Fixture.authorizeLine(key: $0) }
            let process = try Self.start(["--json", "--timeout", "2s"], processor, lines, through: proxy)
            try await processor.commandsCome(3)
            proxy.setRefusing(true)
            proxy.cutConnections()
            let result = try await process.result()
            #expect(result.status == 4, "\(result.errors)")
            for (line, key) in [(2, "b"), (3, "c")] {
                let payment = Identifier.paymentID(idempotencyKey: key, merchantID: nil)
                #expect(
                    result.errors.contains("-:\(line): no final reply: authorize, payment \(payment), key \(key)\n")
                )
            }
            #expect(result.errors.contains("publisher: gave up: no reply came for 2s"))
        }
    }

    private static func proxy() throws -> TCPProxy {
        try TCPProxy(toPort: UInt16(AMQPConfiguration(url: FakeProcessor.url).port))
    }

    private static func start(
        _ options: [String],
        _ processor: FakeProcessor,
        _ lines: [String],
        through proxy: TCPProxy
    ) throws -> PublisherProcess {
        let port = try AMQPConfiguration(url: FakeProcessor.url).port
        return try PublisherProcess(
            ["batch", "-"] + options,
            url: FakeProcessor.url.replacing(":\(port)", with: ":\(proxy.port)"),
            prefix: processor.prefix,
            input: lines.joined(separator: "\n")
        )
    }
}
