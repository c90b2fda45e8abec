import AMQP
import Core
import ServiceLifecycle

/// Keeps the queue of the ticks subscribed, and the ticks coming: on every new connection anew, until the service shuts down;
/// then lets the sweeps under way come to a good moment to stop.
struct SweepSubscription: Sendable {
    let session: AMQPSession
    let names: BrokerNames
    let consumer: SweepConsumer
    let ticks: TickPublisher
    /// Told why a subscription ended before its time.
    let onFailure: @Sendable (any Error) -> Void

    /// A few ticks of each job; each is acknowledged at once.
    private static let prefetch: UInt16 = 16
    /// Between two attempts on a connection that is there.
    private static let pause = Duration.seconds(1)

    /// Returns when a graceful shutdown has come and no sweep runs any more, or the task is cancelled.
    func run() async {
        while !Task.isShuttingDownGracefully, !Task.isCancelled {
            do {
                let connection = try await cancelWhenGracefulShutdown { try await session.connection() }
                try await consume(from: connection)
            } catch {
                if Task.isShuttingDownGracefully || Task.isCancelled { return }
                onFailure(error)
                try? await cancelWhenGracefulShutdown { try await Task.sleep(for: Self.pause) }
            }
        }
    }

    private func consume(from connection: AMQPConnection) async throws {
        do {
            // Fails until the subscription of the commands has seen to it that both are there.
            try await connection.checkExchange(names.sweeps)
            let stream = try await connection.consume(queue: names.sweeps, prefetch: Self.prefetch)
            try await withGracefulShutdownHandler {
                try await withThrowingTaskGroup(of: Void.self) { group in
                    defer { group.cancelAll() }
                    group.addTask { await ticks.run() }
                    try await consumer.consume(stream.map { BrokerDelivery($0) as any Delivery })
                }
            } onGracefulShutdown: {
                Task { try? await stream.cancel() }
            }
        } catch {
            await connection.close()
            throw error
        }
    }
}
