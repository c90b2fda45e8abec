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
    let steady: SteadyConsumer
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
            try await steady.run(
                names.sweeps,
                on: connection,
                prefetch: Self.prefetch,
                while: { !Task.isShuttingDownGracefully },
                body: { stream throws(AMQPError) in try await consume(stream) }
            )
        } catch {
            await connection.close()
            throw error
        }
    }

    private func consume(_ stream: AMQPConsumer) async throws(AMQPError) {
        let ending: Result<Void, AMQPError> = await withGracefulShutdownHandler {
            await withTaskGroup(of: Void.self) { group in
                defer { group.cancelAll() }
                group.addTask { await ticks.run() }
                do throws(AMQPError) {
                    return .success(try await consumer.consume(stream.map { BrokerDelivery($0) as any Delivery }))
                } catch {
                    return .failure(error)
                }
            }
        } onGracefulShutdown: {
            Task { try? await stream.cancel() }
        }
        try ending.get()
    }
}
