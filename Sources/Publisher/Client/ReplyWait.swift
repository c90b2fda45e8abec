import AMQP
import BrokerMapping
import Core

/// Waits for the reply to one command.
struct ReplyWait {
    enum End: Sendable {
        case reply(ReceivedReply)
        /// With the `unknown` reply that came in the meantime.
        case timedOut(ReceivedReply?)
        /// The connection or the queue has gone.
        case lost(AMQPError?)
    }

    let replies: AMQPConsumer
    let correlationID: String
    let timeout: Duration

    /// The handler is called for a reply that is not final.
    func finalReply(onProvisional: @escaping @Sendable (ReceivedReply) -> Void) async -> End {
        await withTaskGroup(of: End?.self) { group in
            group.addTask { await read(onProvisional) }
            group.addTask {
                try? await Task.sleep(for: timeout)
                return nil
            }
            var end = End.timedOut(nil)
            // The first to end cancels the other; the reader then says what it has seen.
            for await result in group {
                if let result { end = result }
                group.cancelAll()
            }
            return end
        }
    }

    private func read(_ onProvisional: @Sendable (ReceivedReply) -> Void) async -> End {
        var provisional: ReceivedReply?
        do throws(AMQPError) {
            for try await delivery in replies {
                try? delivery.acknowledge()
                let message = Message(delivery.message)
                guard message.correlationID?.text == correlationID, let reply = ReceivedReply(message) else { continue }
                if reply.isFinal { return .reply(reply) }
                provisional = reply
                onProvisional(reply)
            }
        } catch {
            return .lost(error)
        }
        return Task.isCancelled ? .timedOut(provisional) : .lost(nil)
    }
}
