import Core
import Glibc
import Hummingbird
import HummingbirdCore
import Logging
import NIOCore
import NIOPosix
import ServiceLifecycle
import Synchronization

/// The admin HTTP server, on the event loops of the process (`Run` asks for one).
struct AdminServer: Service {
    private let configuration: AdminConfiguration
    private let routes: AdminRoutes
    private let limits: AdminLimits
    private let logger: Logger
    private let onListening: @Sendable (_ port: Int) async -> Void

    /// `onListening` is told the port once it is bound.
    init(
        configuration: AdminConfiguration,
        queries: any PaymentQueries,
        deadLetters: DeadLetterService,
        resolver: OperationResolver,
        readiness: Readiness,
        metrics: PrometheusRegistry,
        cardKeys: CardKeyring = .empty,
        console: Console? = nil,
        limits: AdminLimits = AdminLimits(),
        logger: Logger,
        onListening: @escaping @Sendable (_ port: Int) async -> Void = { _ in }
    ) {
        self.configuration = configuration
        routes = AdminRoutes(
            queries: queries,
            deadLetters: deadLetters,
            resolver: resolver,
            readiness: readiness,
            metrics: metrics,
            cardKeys: cardKeys,
            console: console
        )
        self.limits = limits
        self.logger = logger
        self.onListening = onListening
    }

    /// Serves until the service group shuts down or the task is cancelled.
    ///
    /// The HTTP server itself is never cancelled: a connection that it has accepted and not looked at yet would end the
    /// process. On cancellation it is left to shut down by itself, or to the end of the process.
    ///
    /// - Throws: `AdminServerError` where the address cannot be listened on.
    func run() async throws {
        let isListening = Atomic(false)
        let (endings, ending) = AsyncStream.makeStream(of: Result<Void, any Error>.self)
        // Its debug lines describe every service whole.
        var quiet = logger
        quiet.logLevel = max(logger.logLevel, .info)
        // The process's own group is never shut down: connections that are still closing need its loop.
        let server = ServiceGroup(
            services: [
                application(on: MultiThreadedEventLoopGroup.singleton) { port in
                    isListening.store(true, ordering: .relaxed)
                    await onListening(port)
                }
            ],
            logger: quiet
        )
        Task.detached {
            do {
                try await server.run()
                ending.yield(.success(()))
            } catch {
                ending.yield(
                    .failure(isListening.load(ordering: .relaxed) ? error : AdminServerError(configuration, error))
                )
            }
            ending.finish()
        }
        try await withGracefulShutdownHandler {
            for await result in endings { return try result.get() }
        } onGracefulShutdown: {
            routes.console?.work.stopAll()
            Task { await server.triggerGracefulShutdown() }
        }
        // Here only by cancellation, or after the server's end.
        await server.triggerGracefulShutdown()
    }

    private var builder: HTTPServerBuilder {
        let http = HTTP1Channel.Configuration(
            idleTimeout: TimeAmount(limits.header),
            httpDecoderConfiguration: .init(
                maxHeaderFieldSize: limits.largestHeader,
                maxHeaderListSize: limits.largestHeader,
                maxHeaderFieldCount: 100
            )
        )
        guard let tls = configuration.tls else { return .http1(configuration: http) }
        let certificate = AdminCertificate(tls, logger: logger)
        return HTTPServerBuilder { responder in
            AdminTLSChannel(base: HTTP1Channel(responder: responder, configuration: http), certificate: certificate)
        }
    }

    private func application(
        on group: any EventLoopGroup,
        onListening: @escaping @Sendable (_ port: Int) async -> Void
    ) -> some ApplicationProtocol {
        Application(
            router: routes.router(access: AdminAccess(configuration), limits: limits),
            server: builder,
            configuration: ApplicationConfiguration(
                address: .hostname(configuration.host, port: configuration.port),
                availableConnectionsDelegate: .maximum(limits.connections, logger: logger)
            ),
            onServerRunning: { channel in await onListening(channel.localAddress?.port ?? configuration.port) },
            eventLoopGroupProvider: .shared(group),
            logger: logger
        )
    }
}

/// The admin server cannot listen on its address: exit code 69 (docs/contract.md#exit-codes).
struct AdminServerError: Error, Hashable, CustomStringConvertible {
    let description: String

    init(_ configuration: AdminConfiguration, _ cause: any Error) {
        let reason = (cause as? IOError).map { String(cString: strerror($0.errnoCode)) } ?? "\(type(of: cause))"
        let address = "\(configuration.host) port \(configuration.port)"
        description = "the admin server cannot listen on \(address) (admin.host, admin.port): \(reason)"
    }
}

/// What one client may take of the admin server (docs/contract.md#admin-api).
struct AdminLimits: Sendable {
    /// For the header of a request, and between two requests of one connection.
    var header = Duration.seconds(10)
    /// For the body, after its header: 30 s in all.
    var body = Duration.seconds(20)
    /// What is more waits until another one is closed.
    var connections = 256
    /// Bytes of all header fields together.
    var largestHeader = 16 << 10
    /// Bytes.
    var largestBody = 1 << 20
}
