import HummingbirdCore
import Logging
import NIOCore
import NIOHTTP1
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

/// One connection: requests come out of its channel one at a time, and each is answered before the next.
struct SimulatorConnection: ServerChildChannel {
    /// The channel, what arrives on it, and what ends when the client is gone.
    struct Value: ServerChildChannelValue {
        let channel: any Channel
        let arrivals: AsyncStream<Arrival>
        let hangUp: AsyncStream<Never>
    }

    let simulator: Simulator

    func setup(channel: any Channel, logger: Logger) -> EventLoopFuture<Value> {
        channel.eventLoop.makeCompletedFuture {
            let (arrivals, arrivalContinuation) = AsyncStream.makeStream(of: Arrival.self)
            let (hangUp, hangUpContinuation) = AsyncStream.makeStream(of: Never.self)
            let pipeline = channel.pipeline.syncOperations
            try pipeline.configureHTTPServerPipeline(withPipeliningAssistance: true, withErrorHandling: true)
            try pipeline.addHandler(ArrivalHandler(arrivalContinuation, hangUp: hangUpContinuation))
            return Value(channel: channel, arrivals: arrivals, hangUp: hangUp)
        }
    }

    /// A client that goes away takes the request with it that it left behind, as far as that has not been carried out.
    func handle(value: Value, logger: Logger) async {
        await withTaskGroup(of: Void.self) { group in
            group.addTask {
                for await arrival in value.arrivals {
                    guard await serve(arrival, value.channel) else { break }
                }
            }
            group.addTask {
                for await _ in value.hangUp {}
            }
            await group.next()
            group.cancelAll()
        }
        // It may have been closed by the client long ago, and that is as good.
        try? await value.channel.close()
    }

    /// - Returns: whether the connection lives on.
    private func serve(_ arrival: Arrival, _ channel: any Channel) async -> Bool {
        guard let request = arrival.request else {
            await send(.malformed("request body too large"), on: channel, isLast: true)
            return false
        }
        guard case .answer(let answer)? = try? await simulator.react(to: request) else { return false }
        let isLast = !arrival.isKeptAlive || answer.style == .http10
        await send(answer, on: channel, isLast: isLast)
        return !isLast
    }

    /// Hands an answer to the socket. Whether it arrives is not our affair; only before closing must it be waited for.
    private func send(_ answer: HTTPAnswer, on channel: any Channel, isLast: Bool) async {
        let body = answer.bytes(channel.allocator)
        let head = answer.head(date: simulator.dateHeader, length: body.readableBytes, isLast: isLast)
        channel.write(HTTPServerResponsePart.head(head), promise: nil)
        channel.write(HTTPServerResponsePart.body(.byteBuffer(body)), promise: nil)
        if isLast {
            try? await channel.writeAndFlush(HTTPServerResponsePart.end(nil))
        } else {
            channel.writeAndFlush(HTTPServerResponsePart.end(nil), promise: nil)
        }
    }
}

/// Runs tasks on the thread of one event loop.
///
/// A request is then read, decided and answered on one thread without a hop to Swift's own pool and back, which is most
/// of what a request costs otherwise.
final class EventLoopTaskExecutor: TaskExecutor {
    private let eventLoop: any EventLoop

    init(_ eventLoop: any EventLoop) {
        self.eventLoop = eventLoop
    }

    func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        eventLoop.execute { job.runSynchronously(on: self.asUnownedTaskExecutor()) }
    }
}
