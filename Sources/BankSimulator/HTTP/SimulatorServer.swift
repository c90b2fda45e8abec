import HummingbirdCore
import Logging
import NIOCore
import NIOPosix

/// The simulator on a TCP port.
///
/// It is Hummingbird's server with a connection of its own instead of an `Application`: that gives a `Date` header of
/// our own, the moment at which an answer was handed over, the means to cut a connection, and requests that cost little.
struct SimulatorServer: Sendable {
    private let simulator: Simulator
    private let host: String
    private let port: Int
    private let logger: Logger

    /// A server that does not listen yet; port 0 is any free one.
    init(_ simulator: Simulator, host: String, port: Int, logger: Logger) {
        self.simulator = simulator
        self.host = host
        self.port = port
        self.logger = logger
    }

    /// Serves until the task is cancelled.
    ///
    /// - Parameter onRunning: called with the port, once it is bound.
    /// - Throws: where the port cannot be bound.
    func run(onRunning: @escaping @Sendable (Int) async -> Void) async throws {
        let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
        let result: Result<Void, any Error>
        do {
            try await withTaskExecutorPreference(EventLoopTaskExecutor(group.any())) {
                try await serve(on: group, onRunning)
            }
            result = .success(())
        } catch {
            result = .failure(error)
        }
        try await group.shutdownGracefully()
        try result.get()
    }

    /// The server lives no longer than this: when it goes, it still has something to do on its event loop.
    private func serve(
        on group: MultiThreadedEventLoopGroup,
        _ onRunning: @escaping @Sendable (Int) async -> Void
    ) async throws {
        let server = Server(
            childChannelSetup: SimulatorConnection(simulator: simulator),
            configuration: ServerConfiguration(address: .hostname(host, port: port), backlog: 1_024),
            onServerRunning: { channel in await onRunning(channel.localAddress?.port ?? port) },
            eventLoopGroup: group,
            logger: logger
        )
        try await server.run()
    }
}
