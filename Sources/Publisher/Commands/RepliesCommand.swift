import AMQP
import ArgumentParser
import BrokerMapping
import Core
import PaymentCommands
import Program

struct RepliesCommand: PublishingCommand {
    static let configuration = CommandConfiguration(
        commandName: "replies",
        abstract: "Take replies from the common reply queue, and print them.",
        discussion: """
            Replies to commands without a reply_to wait in payments.replies until somebody takes them. Each is removed from the \
            queue once it is printed. Without --follow it ends when those that were there are printed.

            EXAMPLE:
              publisher replies --json >> replies.ndjson

            EXIT CODES: 0 done, 64 usage, 69 broker, 74 standard output cannot be written, 78 configuration.
            """
    )

    @Flag(help: "Go on with what comes, until it is interrupted.")
    var follow = false

    @Flag(help: "Print each reply's body as it is, one a line.")
    var json = false

    @OptionGroup
    var broker: BrokerOptions

    mutating func publish() async throws -> PublisherStatus {
        let configuration = try PublisherConfiguration.load(broker)
        let presentation: Presentation = json ? .json : .text(Palette(isColoured: Terminal.outputWantsColour))
        let client = try await CommandConnection.opened(configuration)
        let reading = ReplyReading(client: client, presentation: presentation, follows: follow)
        let result: Result<Void, Failure>
        do throws(Failure) {
            result = .success(try await reading.run())
        } catch {
            result = .failure(error)
        }
        await client.close()
        try result.get()
        return .succeeded
    }
}

/// Takes what waits in the common reply queue: each reply is printed first, and acknowledged then.
struct ReplyReading {
    let client: CommandConnection
    let presentation: Presentation
    /// Whether to go on when the queue is empty.
    let follows: Bool

    /// How often it looks whether the queue is empty.
    private static let period = Duration.milliseconds(200)

    func run() async throws(Failure) {
        do throws(PaymentClientError) {
            try await read()
        } catch {
            throw Failure(error)
        }
    }

    private func read() async throws(PaymentClientError) {
        var left = try await client.waitingReplies()
        guard follows || left > 0 else { return }
        let replies = try await client.takeReplies(prefetch: 100)
        let watch = follows ? nil : Task { await cancelWhenEmpty(replies) }
        defer { watch?.cancel() }
        do throws(AMQPError) {
            var deliveries = replies.makeAsyncIterator()
            while follows || left > 0, let delivery = try await deliveries.next() {
                show(delivery.message)
                // It and what follows stay in the queue.
                guard !StandardStream.isOutputEnded else { return }
                try delivery.acknowledge()
                left -= 1
            }
        } catch {
            throw client.failure(error)
        }
    }

    /// Somebody else may take what was counted: then there is an end, too.
    private func cancelWhenEmpty(_ replies: AMQPConsumer) async {
        while !Task.isCancelled {
            // Where the broker cannot be asked, the sequence ends with the reason.
            if let waiting = try? await client.waitingReplies(), waiting == 0 {
                try? await replies.cancel()
                return
            }
            try? await Task.sleep(for: Self.period)
        }
    }

    private func show(_ message: AMQPMessage) {
        switch presentation {
        case .json:
            StandardStream.output.write(message.body + [UInt8(ascii: "\n")])
        case .text(let palette):
            let text = ReceivedReply(Message(message)).map { ReplyText($0, palette).text } ?? Self.text(of: message)
            StandardStream.output.write(text + "\n")
        }
    }

    /// Of what is no reply.
    private static func text(of message: AMQPMessage) -> String {
        let body = CardNumberMask.masking(String(decoding: message.body, as: UTF8.self))
        let id = message.properties.messageID.map { "message_id \($0), " } ?? ""
        return PlainText.of("not a reply: \(id)body \(body)")
    }
}

extension ReceivedReply {
    /// Says what a program should know of it.
    var status: PublisherStatus {
        switch outcome {
        case .succeeded: .succeeded
        case .declined: .declined
        case .rejected: .rejected
        case .unknown: .unknown
        }
    }
}
