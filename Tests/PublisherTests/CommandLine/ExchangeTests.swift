import AMQP
import BrokerMapping
import Core
import Foundation
import Testing

@testable import Publisher

@Suite(
    "A command sent by the program",
    .enabled(if: !FakeProcessor.url.isEmpty, "AMQP_URL names no broker"),
    .serialized,
    .timeLimit(.minutes(5))
)
struct ExchangeTests {
    private static let authorize = [
        "authorize", "--amount", "5000", "--order-id", "o", "--customer-id", "c", "--card", "4111111111111111", "--cvv",
        "123", "--expiry", "12/2030",
    ]

    @Test(
        "ends with the exit code of its reply, which is printed",
        arguments: [
            (Reply.Outcome.succeeded, Int32(0), "authorize succeeded\n"), (.declined, 2, "authorize declined\n"),
            (.rejected, 3, "authorize rejected\n"),
        ]
    )
    func outcomes(outcome: Reply.Outcome, status: Int32, beginning: String) async throws {
        let code = outcome == .succeeded ? nil : "some_code"
        try await FakeProcessor.run(answering: { _ in [.outcome(outcome, code)] }) { processor in
            let result = try await run(Self.authorize, processor)
            #expect(result.status == status, "\(result.errors)")
            #expect(result.output.hasPrefix(beginning))
            #expect(code.map(result.output.contains) ?? true)
            // The ids that were made up, before the command was sent.
            #expect(result.errorLines.count == 1)
            let command = try #require(processor.commands.first)
            let id = try #require(command.properties.headers["payment-id"]?.stringValue)
            #expect(result.errors.contains(id) && result.output.contains(id))
            #expect(!(result.output + result.errors).contains("4111"))
        }
    }

    @Test("goes out as the contract says, and its reply queue goes with it")
    func message() async throws {
        try await FakeProcessor.run(answering: { _ in [.outcome(.succeeded)] }) { processor in
            let options = [
                "capture", "--payment-id", Fixture.paymentID, "--amount", "5000", "--idempotency-key", "k-1",
                "--merchant-id",
                "shop", "--deadline", "2030-01-31T12:00:00Z",
            ]
            let result = try await run(options, processor)
            #expect(result.status == 0)
            let properties = try #require(processor.commands.first?.properties)
            #expect(properties.type == "payment.capture.v1")
            #expect(properties.contentType == "application/json")
            #expect(properties.deliveryMode == .persistent)
            #expect(properties.messageID.flatMap { UniqueID($0) } != nil)
            #expect(properties.correlationID?.isEmpty == false)
            #expect(properties.headers["payment-id"] == .string(Fixture.paymentID))
            #expect(properties.headers["idempotency-key"] == "k-1")
            #expect(properties.headers["merchant-id"] == "shop")
            #expect(properties.headers["deadline"] == "2030-01-31T12:00:00.000000Z")
            #expect(TraceParent.wellFormed(properties.headers["traceparent"]?.stringValue) != nil)
            let queue = try #require(properties.replyTo)
            #expect(ReplyAddress.allowed(queue) == queue)
            #expect(try await processor.queueGoes(queue))
        }
    }

    @Test("prints the reply's bytes and nothing else with --json")
    func json() async throws {
        try await FakeProcessor.run(answering: { _ in [.outcome(.declined, "no_money")] }) { processor in
            let result = try await run(Self.authorize + ["--json"], processor)
            #expect(result.status == 2)
            #expect(result.output == processor.replies[0] + "\n")
        }
    }

    @Test("takes the card from standard input, and has the same body then")
    func cardFromInput() async throws {
        try await FakeProcessor.run(answering: { _ in [.outcome(.succeeded)] }) { processor in
            var arguments = Array(Self.authorize.prefix(7))
            arguments += ["--card", "-"]
            let first = try await run(arguments, processor, input: "4111111111111111 123 12/2030\n")
            let second = try await run(Self.authorize, processor)
            #expect(first.status == 0 && second.status == 0)
            #expect(processor.commands.count == 2)
            #expect(processor.commands[0].body == processor.commands[1].body)
        }
    }

    @Test("waits on when the outcome is not known yet, and says so")
    func provisional() async throws {
        let answers: [FakeProcessor.Answer] = [.outcome(.unknown, "unknown_outcome"), .outcome(.succeeded)]
        try await FakeProcessor.run(answering: { _ in answers }) { processor in
            let result = try await run(Self.authorize + ["--json"], processor)
            #expect(result.status == 0)
            #expect(result.output == processor.replies[1] + "\n")
            #expect(result.errorLines.contains { $0.contains("not known yet") && $0.contains("unknown_outcome") })
        }
    }

    @Test("ends with 4 when no final reply comes in time, and says how to ask again")
    func noReply() async throws {
        try await FakeProcessor.run(answering: { _ in [] }) { processor in
            let arguments = [
                "void", "--payment-id", Fixture.paymentID, "--idempotency-key", "k-1", "--timeout", "300ms",
            ]
            let result = try await run(arguments, processor)
            #expect(result.status == 4)
            #expect(result.output.isEmpty)
            #expect(
                result.errorLines.last == "publisher: no final reply within 300ms; to ask again, send the same with "
                    + "--payment-id \(Fixture.paymentID) --idempotency-key k-1"
            )
        }
    }

    @Test("ends with 4 when only a provisional reply comes in time, and shows that one")
    func onlyProvisional() async throws {
        try await FakeProcessor.run(answering: { _ in [.outcome(.unknown)] }) { processor in
            let result = try await run(Self.authorize + ["--json", "--timeout", "2s"], processor)
            #expect(result.status == 4)
            #expect(result.output == processor.replies[0] + "\n")
        }
    }

    @Test("does not wait with --no-wait, and leaves its reply to the common queue")
    func noWait() async throws {
        try await FakeProcessor.run(answering: { _ in [] }) { processor in
            let result = try await run(Self.authorize + ["--json", "--no-wait"], processor)
            #expect(result.status == 0)
            try await processor.commandsCome(1)
            let properties = try #require(processor.commands.first?.properties)
            #expect(properties.replyTo == nil)
            let receipt = try JSONParser.parse(Array(result.output.utf8.dropLast()))
            #expect(receipt["message_id"]?.string == properties.messageID)
            #expect(receipt["payment_id"]?.string == properties.headers["payment-id"]?.stringValue)
            #expect(receipt["idempotency_key"]?.string == properties.headers["idempotency-key"]?.stringValue)
        }
    }

    @Test("goes out unchecked with --no-check, and the processor's answer counts")
    func noCheck() async throws {
        try await FakeProcessor.run(answering: { _ in [.outcome(.declined)] }) { processor in
            let mistyped = Self.authorize.map { $0 == "4111111111111111" ? "4111111111111112" : $0 } + ["--no-check"]
            let declined = try await run(mistyped, processor)
            #expect(declined.status == 2)
            let nonsense = ["void", "--payment-id", "nonsense", "--no-check", "--json"]
            let result = try await run(nonsense, processor)
            #expect(result.status == 3)
            #expect(result.output.contains("invalid_command"))
        }
    }

    @Test("is not sent where there is no exchange, and the way out is said")
    func noTopology() async throws {
        let result = try await PublisherProcess(Self.authorize, url: FakeProcessor.url, prefix: "test.nowhere").result()
        #expect(result.status == 69)
        #expect(result.errors.contains("has no exchange 'test.nowhere.commands': run 'processor topology' first"))
    }

    @Test("loses its reply queue when it is killed too")
    func killed() async throws {
        try await FakeProcessor.run(answering: { _ in [] }) { processor in
            let process = try PublisherProcess(Self.authorize, url: FakeProcessor.url, prefix: processor.prefix)
            try await processor.commandsCome(1)
            kill(process.id, SIGKILL)
            _ = try await process.result()
            let queue = try #require(processor.commands.first?.properties.replyTo)
            #expect(try await processor.queueGoes(queue))
        }
    }

    private func run(
        _ arguments: [String],
        _ processor: FakeProcessor,
        input: String = ""
    ) async throws -> PublisherProcess.Result {
        try await PublisherProcess(arguments, url: FakeProcessor.url, prefix: processor.prefix, input: input).result()
    }
}
