import AMQP
import BrokerMapping
import Core
import Program

/// Takes what waits in the common reply queue: each reply is printed first, and acknowledged then.
struct ReplyReading {
    let client: BrokerClient
    let presentation: Presentation
    /// Whether to go on when the queue is empty.
    let follows: Bool

    func run() async throws(Failure) {
        var left = try await client.waitingReplies()
        guard follows || left > 0 else { return }
        let replies = try await client.takeReplies(prefetch: 100)
        do throws(AMQPError) {
            var deliveries = replies.makeAsyncIterator()
            while follows || left > 0, let delivery = try await deliveries.next() {
                show(delivery.message)
                try delivery.acknowledge()
                left -= 1
            }
        } catch {
            throw client.failure(error)
        }
    }

    private func show(_ message: AMQPMessage) {
        switch presentation {
        case .json:
            StandardStream.output.write(message.body + [UInt8(ascii: "\n")])
        case .text(let palette):
            guard let reply = ReceivedReply(Message(message)) else {
                return StandardError.line("a message in the queue is no reply, and was removed")
            }
            StandardStream.output.write(ReplyText(reply, palette).text + "\n")
        }
    }
}
