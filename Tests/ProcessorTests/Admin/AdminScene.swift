import Core
import HTTPTypes
import Logging
import Testing

@testable import Processor

/// Suites that ask an admin server.
protocol AdminScene {
    var readiness: Readiness { get }
}

extension AdminScene {
    func server(
        _ queries: FakeQueries = FakeQueries(),
        token: String? = nil,
        tokens: [AdminToken] = [],
        port: Int = 0,
        limits: AdminLimits = .patient,
        tls: AdminTLS? = nil,
        log: CapturedLog? = nil,
        onListening: @escaping @Sendable (Int) async -> Void = { _ in }
    ) throws -> AdminServer {
        let registry = PrometheusRegistry()
        _ = ProcessorMetrics(registry: registry)
        return AdminServer(
            configuration: AdminConfiguration(
                host: "127.0.0.1",
                port: port,
                token: token.map { Secret($0) },
                tokens: tokens,
                tls: tls
            ),
            queries: queries,
            deadLetters: .inMemory(),
            resolver: ResolutionScene().resolver,
            readiness: readiness,
            metrics: registry,
            limits: limits,
            logger: try (log ?? CapturedLog(level: .critical)).logger,
            onListening: onListening
        )
    }

    /// Runs a server for one request.
    func get(
        _ uri: String,
        from queries: FakeQueries = FakeQueries(),
        token: String? = nil,
        authorization: String? = nil
    ) async throws -> PlainHTTP.Answer {
        try await withServer(queries, token: token) { port in
            try await PlainHTTP.get(uri, port: port, authorization: authorization)
        }
    }

    func send(_ method: String, _ uri: String) async throws -> PlainHTTP.Answer {
        try await withServer { port in try await PlainHTTP.send(method, uri, port: port) }
    }

    func withServer<Value: Sendable>(
        _ queries: FakeQueries = FakeQueries(),
        token: String? = nil,
        limits: AdminLimits = .patient,
        tls: AdminTLS? = nil,
        log: CapturedLog? = nil,
        _ work: (Int) async throws -> Value
    ) async throws -> Value {
        let (ports, port) = AsyncStream.makeStream(of: Int.self)
        let server = try server(queries, token: token, limits: limits, tls: tls, log: log) { port.yield($0) }
        return try await withThrowingTaskGroup(of: Void.self) { tasks in
            tasks.addTask { try await server.run() }
            var iterator = ports.makeAsyncIterator()
            let value = try await work(try #require(await iterator.next()))
            tasks.cancelAll()
            return value
        }
    }
}

extension AdminLimits {
    /// That no test reaches, however long it waits for its turn among the others.
    static let patient = AdminLimits(header: .seconds(300), body: .seconds(300))
}
