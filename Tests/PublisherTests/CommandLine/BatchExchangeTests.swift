import AMQP
import Core
import Foundation
import PaymentCommands
import TestSupport
import Testing

@testable import Publisher

@Suite(
    "A batch sent by the program",
    .enabled(if: !FakeProcessor.url.isEmpty, "AMQP_URL names no broker"),
    .serialized,
    .timeLimit(.minutes(5))
)
struct BatchExchangeTests {
    @Test("of a thousand commands gets a thousand replies, and prints them")
    func thousand() async throws {
        try await FakeProcessor.run(answering: { _ in [.outcome(.succeeded)] }) { processor in
            let result = try await run(["--json"], processor, (0..<1_000).map { Fixture.authorizeLine(key: "k-\($0)") })
            #expect(result.status == 0, "\(result.errors)")
            var lines = result.output.split(separator: "\n").map(String.init)
            let summaryLine = try #require(lines.last)
            lines.removeLast()
            let summary = try JSONParser.parse(Array(summaryLine.utf8))["summary"]
            let isVerbatim = lines == processor.replies
            #expect(isVerbatim)
            #expect(summary?["sent"]?.integer == 1_000)
            #expect(summary?["succeeded"]?.integer == 1_000)
            for name in ["declined", "no_reply", "rejected", "unknown"] { #expect(summary?[name]?.integer == 0) }
            let keys = Set(processor.commands.map { $0.properties.headers["idempotency-key"]?.stringValue })
            #expect(keys.count == 1_000)
            #expect(Set(processor.commands.map(\.properties.messageID)).count == 1_000)
        }
    }

    @Test("sends the commands of a payment in the order of the file")
    func order() async throws {
        let ids = (0..<100).map { _ in Identifier.unique().description }
        let lines = (0..<5).flatMap { step in
            ids.map { #"{"operation":"void","payment_id":"\#($0)","idempotency_key":"\#($0)-\#(step)"}"# }
        }
        try await FakeProcessor.run(answering: { _ in [.outcome(.succeeded)] }) { processor in
            let result = try await run(["--json"], processor, lines)
            #expect(result.status == 0, "\(result.errors)")
            var keys: [String: [String]] = [:]
            for command in processor.commands {
                let headers = command.properties.headers
                let id = try #require(headers["payment-id"]?.stringValue)
                keys[id, default: []].append(try #require(headers["idempotency-key"]?.stringValue))
            }
            #expect(keys.count == 100)
            for (id, keys) in keys { #expect(keys == (0..<5).map { "\(id)-\($0)" }) }
        }
    }

    @Test("keeps no more commands under way than its window allows")
    func window() async throws {
        try await FakeProcessor.run(answering: { _ in [] }) { processor in
            let lines = (0..<50).map { Fixture.authorizeLine(key: "k-\($0)") }
            let result = try await run(["--window", "7", "--timeout", "500ms", "--json"], processor, lines)
            #expect(result.status == 4)
            #expect(processor.commands.count == 7)
            #expect(result.output.contains(#""no_reply":7"#) && result.output.contains(#""sent":7"#))
            let named = result.errorLines.filter { $0.contains(": authorize, payment ") }
            #expect(named.count { $0.contains(": no final reply: ") } == 7)
            #expect(named.count { $0.contains(": not sent: ") } == 43)
            for index in 0..<50 {
                #expect(named.contains { $0.hasPrefix("-:\(index + 1): ") && $0.hasSuffix(", key k-\(index)") })
            }
            #expect(result.errors.contains("gave up: no reply came for 500ms"))
        }
    }

    @Test("ends with the largest exit code, and says which lines to look at")
    func mixed() async throws {
        let answers: @Sendable (Command) -> [FakeProcessor.Answer] = { command in
            switch command.idempotencyKey.description {
            case "decline": [.outcome(.declined, "insufficient_funds")]
            case "reject": [.outcome(.rejected, "invalid_transition")]
            case "late": [.outcome(.unknown), .outcome(.succeeded), .outcome(.succeeded)]
            default: [.outcome(.succeeded)]
            }
        }
        try await FakeProcessor.run(answering: answers) { processor in
            let result = try await run(
                [],
                processor,
                ["a", "decline", "late", "reject", "b"].map { Fixture.authorizeLine(key: $0) }
            )
            #expect(result.status == 3, "\(result.errors)")
            let lines = result.output.split(separator: "\n").map(String.init)
            #expect(
                lines.prefix(4) == [
                    "5 commands sent", "  succeeded  3", "  declined   1  insufficient_funds 1 (first: line 2)",
                    "  rejected   1  invalid_transition 1 (first: line 4)",
                ]
            )
        }
    }

    @Test("shows an unknown reply at the end, when no final one has come")
    func unknown() async throws {
        try await FakeProcessor.run(answering: { _ in [.outcome(.unknown)] }) { processor in
            let result = try await run(["--json", "--timeout", "1s"], processor, [Fixture.authorizeLine()])
            #expect(result.status == 4)
            let lines = result.output.split(separator: "\n").map(String.init)
            #expect(lines.first == processor.replies.first)
            #expect(lines.last?.contains(#""unknown":1"#) == true)
        }
    }

    @Test("means the same payments when it is sent again")
    func again() async throws {
        try await FakeProcessor.run(answering: { _ in [.outcome(.succeeded)] }) { processor in
            let lines = ["a", "b"].map { Fixture.authorizeLine(key: $0) }
            for _ in 0..<2 {
                let result = try await run(["--json"], processor, lines)
                #expect(result.status == 0)
            }
            let headers = processor.commands.map(\.properties.headers)
            #expect(headers.count == 4)
            #expect(Set(headers.map { $0["payment-id"]?.stringValue }).count == 2)
            let pairs = headers.map { [$0["payment-id"]?.stringValue, $0["idempotency-key"]?.stringValue] }
            #expect(Set(pairs).count == 2)
        }
    }

    @Test("says what it knows when it is interrupted")
    func interrupted() async throws {
        try await FakeProcessor.run(answering: { $0.idempotencyKey.description == "a" ? [.outcome(.succeeded)] : [] }) {
            processor in
            let process = try PublisherProcess(
                ["batch", "-", "--json"],
                url: FakeProcessor.url,
                prefix: processor.prefix,
                input: Fixture.authorizeLine(key: "a") + "\n" + Fixture.authorizeLine(key: "b")
            )
            try await processor.commandsCome(2)
            kill(process.id, SIGINT)
            let result = try await process.result()
            #expect(result.status == 130)
            #expect(result.output.contains(#""sent":2"#))
            #expect(result.errors.contains("publisher: interrupted"))
        }
    }

    private func run(
        _ options: [String],
        _ processor: FakeProcessor,
        _ lines: [String]
    ) async throws -> PublisherProcess.Result {
        try await PublisherProcess(
            ["batch", "-"] + options,
            url: FakeProcessor.url,
            prefix: processor.prefix,
            input: lines.joined(separator: "\n")
        ).result()
    }
}

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
