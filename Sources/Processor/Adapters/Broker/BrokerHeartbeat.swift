import AMQP
import BrokerMapping
import Core

/// Tries all the time what commands need of the broker: that it takes messages into a quorum queue (which needs a majority of
/// its nodes and no alarm), and that it hands out what it has taken.
///
/// On a connection of its own: it waits where the broker does not answer, and holds up nobody.
struct BrokerHeartbeat: Sendable {
    let session: AMQPSession
    let names: BrokerNames
    let readiness: Readiness
    let time: any TimeSource

    private static let period = Duration.seconds(1)
    private static let patience = Duration.seconds(4)
    private static let restAfterRefusal = 10

    /// Until the task is cancelled.
    func run() async {
        for part in [Readiness.Part.publishing, .consuming] { readiness.saw(part) }
        while !Task.isCancelled {
            do throws(AMQPError) {
                let connection = try await session.connection()
                try await beat(on: connection)
            } catch {
                for part in [Readiness.Part.publishing, .consuming] { readiness.failed(part, error.description) }
            }
            try? await time.sleep(for: Self.period)
        }
    }

    /// Until something goes wrong that a new queue of our own may fix.
    private func beat(on connection: AMQPConnection) async throws(AMQPError) {
        var own = try await ownQueue(connection)
        var echoes = own?.makeAsyncIterator()
        // Beats without a message after the exchange was found missing, or forbidden.
        var rest = 0
        while !Task.isCancelled {
            if rest > 0 {
                rest -= 1
                readiness.saw(.publishing)
            } else if try await !publishToQuorumQueue(connection) {
                rest = Self.restAfterRefusal
            }
            if let queue = own?.queue {
                do throws(AMQPError) {
                    try await publish(connection, to: "", queue)
                    // Its silence is noticed by who reads the readiness.
                    guard let echo = try await echoes?.next(isolation: nil) else { return }
                    try? echo.acknowledge()
                    readiness.saw(.consuming)
                } catch {
                    guard error.code == .channelClosed(replyCode: 403) else { throw error }
                    readiness.forget(.consuming)
                    own = nil
                    echoes = nil
                }
            }
            try? await time.sleep(for: Self.period)
        }
    }

    /// Nil where this user may have none: then nothing is promised of it.
    private func ownQueue(_ connection: AMQPConnection) async throws(AMQPError) -> AMQPConsumer? {
        let queue = "\(names.prefix).heartbeat.\(SystemRandom().identifier(at: time.now()))"
        do throws(AMQPError) {
            try await connection.declareQueue(queue, durable: false, exclusive: true, autoDelete: true)
            return try await connection.consume(queue: queue, prefetch: 10)
        } catch {
            guard error.code == .channelClosed(replyCode: 403) else { throw error }
            readiness.forget(.consuming)
            return nil
        }
    }

    /// One that cannot be routed was answered all the same; that an object is missing is reported elsewhere.
    ///
    /// - Returns: false where trying again at once would be no use.
    private func publishToQuorumQueue(_ connection: AMQPConnection) async throws(AMQPError) -> Bool {
        do throws(AMQPError) {
            if try await publish(connection, to: names.sweeps, names.sweepsKey) == .nacked {
                readiness.failed(.publishing, "\(names.sweeps) refuses messages")
            } else {
                readiness.saw(.publishing)
            }
            return true
        } catch {
            switch error.code {
            case .channelClosed:
                readiness.saw(.publishing)
                return false
            case .confirmTimeout:
                readiness.failed(.publishing, "\(names.sweeps) confirms nothing")
                return true
            default: throw error
            }
        }
    }

    @discardableResult
    private func publish(
        _ connection: AMQPConnection,
        to exchange: String,
        _ routingKey: String
    ) async throws(AMQPError) -> AMQPPublishOutcome {
        try await connection.publish(
            AMQPMessage(Heartbeat.message),
            exchange: exchange,
            routingKey: routingKey,
            mandatory: true,
            timeout: Self.patience
        )
    }
}
