import AMQP
import BrokerMapping
import Core
import PaymentCommands
import Testing

@Suite(
    "A client of the library",
    .enabled(if: !FakeProcessor.url.isEmpty, "AMQP_URL names no broker"),
    .serialized,
    .timeLimit(.minutes(5))
)
struct PaymentClientTests {
    @Test("gets to each of many commands its own reply")
    func many() async throws {
        try await FakeProcessor.run(answering: { _ in [.outcome(.succeeded)] }) { processor in
            try await connected(processor) { client in
                let keys = (1...200).map { "k-\($0)" }
                let answered = try await withThrowingTaskGroup(of: Bool.self) { group in
                    for key in keys {
                        let command = try capture(key: key)
                        group.addTask {
                            let reply = try await client.ask(command)
                            return reply.outcome == .succeeded && reply.isFinal && reply.idempotencyKey == key
                                && reply.paymentID == command.paymentID && reply.operation == .capture
                        }
                    }
                    return try await group.reduce(0) { $0 + ($1 ? 1 : 0) }
                }
                #expect(answered == keys.count)
            }
        }
    }

    @Test("sends the same message again, on another connection, after its reply was lost")
    func again() async throws {
        try await FakeProcessor.run(answering: { _ in [.outcome(.succeeded)] }) { processor in
            let command = try authorize()
            try await connected(processor) { _ = try await $0.send(command) }
            let reply = try await connected(processor) { try await $0.ask(command) }
            #expect(reply.outcome == .succeeded)
            let messages = processor.commands
            #expect(messages.count == 2 && messages[0].body == messages[1].body)
            let ids = messages.map(\.properties.messageID)
            #expect(ids == [command.messageID, command.messageID])
            for header in ["payment-id", "idempotency-key", "traceparent"] {
                let values = messages.map { $0.properties.headers[header] }
                #expect(values[0] != nil && values[0] == values[1], "\(header)")
            }
            #expect(messages[0].properties.replyTo != messages[1].properties.replyTo)
        }
    }

    @Test("says what is known while the final reply takes its time, and may wait again")
    func provisional() async throws {
        let provisional = [FakeProcessor.Answer.outcome(.unknown, "unknown_outcome")]
        try await FakeProcessor.run(answering: { command in
            command.idempotencyKey.description == "k-2" ? [.outcome(.succeeded)] : provisional
        }) { processor in
            try await connected(processor) { client in
                let pending = try await client.send(try capture(key: "k-1"))
                let (announced, announcement) = AsyncStream<PaymentReply>.makeStream()
                let waiting = Task { try await pending.value { announcement.yield($0) } }
                var first = announced.makeAsyncIterator()
                #expect(await first.next()?.problem?.code == "unknown_outcome")
                #expect(pending.provisional?.outcome == .unknown && pending.provisional?.isFinal == false)
                waiting.cancel()
                await expect(.noReply) { _ = try await waiting.value }
                await expect(.noReply) { _ = try await pending.value(within: .milliseconds(50)) }
                #expect(try await client.ask(try capture(key: "k-2")).outcome == .succeeded)
            }
        }
    }

    @Test("a closed connection ends what is under way, as what may have taken effect")
    func lost() async throws {
        try await FakeProcessor.run(answering: { _ in [] }) { processor in
            let client = try await PaymentClient.connect(try configuration(processor.prefix))
            let pending = try await client.send(try capture(key: "k-1"))
            let waiting = Task { try await pending.value() }
            await client.close()
            let error = await expect(.connectionLost) { _ = try await waiting.value }
            #expect(error?.mayHaveTakenEffect == true && error?.isPassing == true)
            let refused = await expect(.unavailable) { _ = try await client.send(try capture(key: "k-2")) }
            #expect(refused?.mayHaveTakenEffect == false)
        }
    }

    @Test("leaves the reply to the common queue where it is not to wait")
    func post() async throws {
        try await FakeProcessor.run(answering: { _ in [] }) { processor in
            try await connected(processor) { try await $0.post(try capture(key: "k-1")) }
            try await processor.commandsCome(1)
            #expect(processor.commands.first?.properties.replyTo == nil)
        }
    }

    @Test("does not connect where there is nowhere to send commands to")
    func nowhere() async throws {
        let configuration = try configuration("test.nowhere")
        let error = await expect(.unavailable) { _ = try await PaymentClient.connect(configuration) }
        #expect(error?.description.contains("has no exchange 'test.nowhere.commands'") == true)
    }

    @Test("hears the events that it asks for, and nothing else")
    func events() async throws {
        try await FakeProcessor.run(answering: { _ in [] }) { processor in
            let exchange = BrokerNames(prefix: processor.prefix).eventsExchange
            try await processor.connection.declareExchange(exchange, kind: "topic", durable: false, autoDelete: true)
            try await connected(processor) { client in
                let heard = try await client.events([.expired])
                let payment = try Fixture.payment()
                let expired = PaymentEvent(expired: payment, operation: OperationID(UniqueID(high: 1, low: 2)))
                for (key, body) in [
                    ("payment.captured", expired.message.body), ("payment.expired", Array("{}".utf8)),
                    ("payment.expired", expired.message.body),
                ] {
                    var message = AMQPMessage(expired.message)
                    message.body = body
                    _ = try await processor.connection.publish(
                        message,
                        exchange: exchange,
                        routingKey: key,
                        mandatory: false
                    )
                }
                var events = heard.makeAsyncIterator()
                let event = try #require(try await events.next())
                #expect(event.name == .expired && event.operation == .authorize)
                #expect(event.id == expired.message.messageID && event.body == expired.message.body)
                #expect(event.paymentID == Fixture.paymentID && event.payment.id == Fixture.paymentID)
                #expect(event.payment.amount == 5000 && event.payment.status == "AUTHORIZED")
            }
        }
    }

    private func configuration(_ prefix: String) throws -> PaymentClientConfiguration {
        try PaymentClientConfiguration(url: FakeProcessor.url, prefix: prefix)
    }

    @discardableResult
    private func connected<Value: Sendable>(
        _ processor: FakeProcessor,
        _ use: (PaymentClient) async throws -> Value
    ) async throws -> Value {
        let client = try await PaymentClient.connect(try configuration(processor.prefix))
        let result: Result<Value, any Error>
        do {
            result = .success(try await use(client))
        } catch {
            result = .failure(error)
        }
        await client.close()
        return try result.get()
    }

    @discardableResult
    private func expect(
        _ code: PaymentClientError.Code,
        _ body: () async throws -> Void
    ) async -> PaymentClientError? {
        let error = await #expect(throws: PaymentClientError.self) { try await body() }
        #expect(error?.code == code, "\(error.map(\.description) ?? "")")
        return error
    }

    private func capture(key: String) throws -> PaymentCommand {
        try .capture(paymentID: Fixture.paymentID, options: PaymentCommand.Options(idempotencyKey: key))
    }

    private func authorize() throws -> PaymentCommand {
        try .authorize(
            amount: 5000,
            orderID: "o",
            customerID: "c",
            card: PaymentCard(number: Fixture.card, cvv: "123", expiryMonth: 12, expiryYear: 2030),
            sealedFor: nil
        )
    }
}
