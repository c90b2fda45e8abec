import Core
import HTTPTypes
import Logging
import Synchronization
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

/// Payments in memory.
final class FakeQueries: PaymentQueries {
    private let views: [PaymentView]
    private let failure: StoreError?
    private let asked = Mutex<[PaymentQuery]>([])

    init(_ views: [PaymentView] = [], failure: StoreError? = nil) {
        self.views = views
        self.failure = failure
    }

    /// The lists that were asked for.
    var queries: [PaymentQuery] { asked.withLock { $0 } }

    func payment(_ id: PaymentID) async throws(StoreError) -> PaymentView? {
        if let failure { throw failure }
        return views.first { $0.payment.id == id }
    }

    func payments(_ query: PaymentQuery) async throws(StoreError) -> PaymentPage {
        if let failure { throw failure }
        asked.withLock { $0.append(query) }
        let matching = views.map(\.payment).filter { payment in
            query.filter.matches(payment) && (!query.filter.isPossibleOrphans || orphans[payment.id] != nil)
        }
        .filter { query.merchantID == nil || $0.merchantID == query.merchantID }
        .sorted { ($0.createdAt, $0.id) > ($1.createdAt, $1.id) }
        .filter { payment in query.after.map { (payment.createdAt, payment.id) < ($0.at, $0.id) } ?? true }
        let page = matching.prefix(query.limit)
        let isOrphans = query.filter.isPossibleOrphans
        let next = matching.count > page.count ? page.last : nil
        return PaymentPage(
            payments: Array(page),
            next: next.map { PageCursor(at: $0.createdAt, id: $0.id) },
            orphans: isOrphans ? orphans.filter { id, _ in page.contains { $0.id == id } } : [:]
        )
    }

    private var orphans: [PaymentID: PossibleOrphan] {
        views.reduce(into: [:]) { $0[$1.payment.id] = $1.orphan }
    }
}

/// What the admin API answers for `Samples`, spelt out.
enum Expected {
    static func payment(_ number: Int, withDetails: Bool = false) -> String {
        #"{"amount":5005,\#(withDetails ? #""attempts":[],"# : "")"authorized_at":"1970-01-01T00:00:01.500000Z","bank":{"authorization_id":"auth_1","#
            + #""capture_id":null,"refund_id":null,"void_id":null},"captured_at":null,"#
            + #""created_at":"1970-01-01T00:00:0\#(number).000000Z","currency":"USD","customer_id":"customer-1","#
            + #""expires_at":null,\#(withDetails ? "\(history)," : "")"#
            + #""id":"00000000-0000-0000-0000-00000000000\#(number)","#
            + #""merchant_id":"default",\#(withDetails ? "\(operations)," : "")"#
            + #""order_id":"order-1","refunded_at":null,\#(withDetails ? #""replays":[],"# : "")"#
            + #""status":"CAPTURING","voided_at":null}"#
    }

    static let view = payment(1, withDetails: true)

    private static let history =
        #""history":[{"at":"1970-01-01T00:00:01.000000Z","cause":"authorize claimed","from":null,"#
        + #""operation":"authorize","to":"PENDING"},{"at":"1970-01-01T00:00:01.500000Z","cause":"authorize succeeded","from":"PENDING","#
        + #""operation":"authorize","to":"AUTHORIZED"}]"#

    private static let operations =
        #""operations":[{"attempts":2,"idempotency_key":"key-1","kind":"capture","last_error":"bank_timeout","notified":null,"#
        + #""state":"UNKNOWN"}]"#
}
