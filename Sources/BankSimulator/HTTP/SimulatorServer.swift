import HTTPTypes
import Hummingbird
import HummingbirdCore
import Logging
import NIOCore
import NIOPosix

/// The simulator on a TCP port.
///
/// It sits on Hummingbird's server one floor below `Application`, for three things that an application does not allow:
/// a `Date` header of our own, knowing when an answer was handed over, and cutting a connection.
struct SimulatorServer: Sendable {
    /// The longest body that is read, in bytes.
    static let maximumBodySize = 1 << 20

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
        let server = Server(
            childChannelSetup: HTTP1Channel(responder: serve),
            configuration: ServerConfiguration(address: .hostname(host, port: port), backlog: 1_024),
            onServerRunning: { channel in await onRunning(channel.localAddress?.port ?? port) },
            eventLoopGroup: group,
            logger: logger
        )
        let result: Result<Void, any Error>
        do {
            try await withTaskExecutorPreference(EventLoopTaskExecutor(group.any())) { try await server.run() }
            result = .success(())
        } catch {
            result = .failure(error)
        }
        try await group.shutdownGracefully()
        try result.get()
    }

    private func serve(
        _ request: Request,
        _ writer: consuming ResponseWriter,
        _ channel: any Channel
    ) async throws {
        let reaction: Reaction
        do {
            let body = try await request.body.collect(upTo: Self.maximumBodySize)
            reaction = try await simulator.react(to: SimulatorRequest(request, body: Array(body.readableBytesView)))
        } catch is NIOTooManyBytesError {
            reaction = .answer(.malformed("request body too large"), then: nil)
        } catch is CancellationError {
            reaction = .cut
        }
        switch reaction {
        case .cut:
            try await channel.close()
        case .answer(let answer, let pending):
            // A client that has gone does not keep the bank from storing its key.
            defer { pending.map(simulator.store) }
            let response = Response(answer, date: simulator.time.httpDate)
            try await writer.write(response: response.head, body: response.body)
        }
    }
}

extension SimulatorRequest {
    fileprivate init(_ request: Request, body: [UInt8]) {
        let key = HTTPField.Name("Idempotency-Key").flatMap { request.headers[$0] }
        self.init(
            method: request.method.rawValue,
            path: request.uri.path,
            query: request.uri.query,
            idempotencyKey: key.flatMap { $0.isEmpty ? nil : $0 },
            body: body
        )
    }
}

extension Response {
    fileprivate init(_ answer: HTTPAnswer, date: String) {
        var headers = HTTPFields()
        headers[.contentType] = answer.contentType.rawValue
        headers[.date] = date
        if answer.isReplay, let name = HTTPField.Name("X-Idempotent-Replayed") { headers[name] = "true" }
        self.init(
            status: HTTPResponse.Status(code: answer.status),
            headers: headers,
            body: ResponseBody(byteBuffer: ByteBuffer(string: answer.body))
        )
    }
}
