import AMQP
import BrokerMapping
import ConfigurationText
import Core
import Program

/// How a person or a program gets the result.
enum Presentation {
    case json
    case text(Palette)
}

/// One command, and its reply.
struct SingleExchange {
    let command: OutgoingCommand
    let timeout: Duration
    let presentation: Presentation

    /// How often a command that the broker refuses is sent again, and when: the election of a leader takes a moment.
    private static let refusals = 20
    private static let pause = Duration.milliseconds(250)

    /// Ends when the broker has the command. Its reply will lie in the common reply queue.
    func send(_ configuration: PublisherConfiguration) async throws(Failure) -> PublisherStatus {
        let client = try await BrokerClient.connect(configuration)
        let messageID = Identifier.unique()
        let problem = await publish(client, messageID: messageID, replyTo: nil)
        await client.close()
        if let problem { throw problem }
        switch presentation {
        case .json: StandardStream.output.write(ReceiptText.json(command, messageID: messageID) + "\n")
        case .text(let palette): StandardStream.output.write(ReceiptText.text(command, messageID: messageID, palette))
        }
        return .succeeded
    }

    /// Ends with the final reply, or when there was none in time.
    func sendAndWait(_ configuration: PublisherConfiguration) async throws(Failure) -> PublisherStatus {
        let client = try await BrokerClient.connect(configuration)
        let result: Result<PublisherStatus, Failure>
        do throws(Failure) {
            result = .success(try await sendAndWait(client))
        } catch {
            result = .failure(error)
        }
        await client.close()
        return try result.get()
    }

    private func sendAndWait(_ client: BrokerClient) async throws(Failure) -> PublisherStatus {
        let replies = try await client.openReplyQueue(prefetch: 10)
        let messageID = Identifier.unique()
        // Before it is sent: who interrupts this must still know what to ask for.
        StandardError.line("sending \(command.kind): payment \(command.paymentID), key \(command.idempotencyKey)")
        if let problem = await publish(client, messageID: messageID, replyTo: replies.queue) { throw problem }
        let waiting = ReplyWait(replies: replies, correlationID: messageID.description, timeout: timeout)
        switch await waiting.finalReply(onProvisional: announce) {
        case .reply(let reply):
            show(reply)
            return reply.status
        case .timedOut(let provisional):
            if let provisional { show(provisional) }
            throw Failure(.unknown, "no final reply within \(DurationText.text(of: timeout)); \(wayOut)")
        case .lost(let error):
            let cause = error.map(\.description) ?? "connection closed"
            throw Failure(.unknown, "\(cause) before the reply came; \(wayOut)")
        }
    }

    /// - Returns: why the broker has the command not, or perhaps not.
    private func publish(_ client: BrokerClient, messageID: UniqueID, replyTo: String?) async -> Failure? {
        let message = command.message(id: messageID, correlationID: messageID.description, replyTo: replyTo)
        do throws(AMQPError) {
            // A queue that refuses is full, or about to have a new leader.
            for _ in 0..<Self.refusals {
                if try await client.publish(AMQPMessage(message), timeout: timeout) == .confirmed { return nil }
                guard (try? await Task.sleep(for: Self.pause)) != nil else { break }
            }
            return Failure(.unavailable, "the broker refused the command, so nothing was done: try again later")
        } catch {
            guard error.outcomeUnknown else { return client.failure(error) }
            return Failure(.unknown, "\(error.code): the broker may have the command or not; \(wayOut)")
        }
    }

    private func announce(_ provisional: ReceivedReply) {
        let code = provisional.errorCode.map { " (\($0))" } ?? ""
        StandardError.line("it is not known yet what the bank did\(PlainText.of(code)); waiting for the final reply")
    }

    private func show(_ reply: ReceivedReply) {
        switch presentation {
        case .json: StandardStream.output.write(reply.body + [UInt8(ascii: "\n")])
        case .text(let palette): StandardStream.output.write(ReplyText(reply, palette).text)
        }
    }

    private var wayOut: String {
        "to ask again, send the same with --payment-id \(command.paymentID) --idempotency-key \(command.idempotencyKey)"
    }
}
