import ConfigurationReading
import Core
import HTTPTypes
import Logging
import Simulation
import Synchronization
import Testing

@testable import Processor

/// A console over stores in memory, behind a real admin server.
struct ConsoleScene: Sendable {
    static let operateToken = "operate-token-0123456789"
    static let readToken = "read-token-0123456789"

    let review = ResolutionScene()
    let deadLetters = DeadLetterScene()
    let reading = FakeConsoleQueries()
    let minutes = FakeCommandMinutes()
    let readiness = Readiness()
    let metrics = ProcessorMetrics(registry: PrometheusRegistry())
    let sessions: ConsoleSessions

    init(sessions: ConsoleSessions = ConsoleSessions()) {
        self.sessions = sessions
        readiness.setBroker(.ok)
        readiness.setDatabase(.ok)
    }

    static var tokens: [AdminToken] {
        [
            AdminToken(name: "ada", role: .operate, token: Secret(operateToken)),
            AdminToken(name: "rob", role: .read, token: Secret(readToken)),
        ]
    }

    func parts() throws -> ConsoleParts {
        let limits = HandlerLimits(
            bankTimeout: .seconds(1),
            bankWorstCase: .seconds(1),
            lease: .seconds(3),
            busyAfter: .seconds(2)
        )
        let context = ProcessorContext(
            store: review.store,
            bank: review.bank,
            breaker: CircuitBreaker(time: SystemTime(), random: SystemRandom(), observer: RecordingObserver()),
            time: SystemTime(),
            random: SystemRandom(),
            observer: RecordingObserver(),
            limits: limits
        )
        let configuration = try ProcessorConfiguration(ConfigurationInputs())
        return ConsoleParts(
            queries: review.store,
            deadLetters: deadLetters.service,
            resolver: review.resolver,
            reading: reading,
            members: review.store,
            minutes: minutes,
            bank: review.bank,
            bankStatus: review.store,
            sweeps: SweepControl(
                parts: SweepParts(configuration, context, store: review.store, bank: review.bank),
                store: review.store,
                periods: configuration.sweepPeriods
            ),
            readiness: readiness,
            metrics: metrics,
            names: BrokerNames(),
            partitions: 8,
            identity: "this",
            bankTimeout: .seconds(1)
        )
    }

    /// Runs an admin server with the console for some requests.
    func withServer<Value: Sendable>(
        tokens: [AdminToken] = Self.tokens,
        isSecure: Bool = false,
        _ work: (Int) async throws -> Value
    ) async throws -> Value {
        let (ports, port) = AsyncStream.makeStream(of: Int.self)
        let configuration = AdminConfiguration(host: "127.0.0.1", port: 0, token: nil, tokens: tokens)
        let parts = try parts()
        let server = AdminServer(
            configuration: configuration,
            queries: parts.queries,
            deadLetters: parts.deadLetters,
            resolver: parts.resolver,
            readiness: readiness,
            metrics: metrics.registry,
            console: try Console(
                parts,
                access: AdminAccess(configuration),
                isSecure: isSecure,
                sessions: sessions
            ),
            limits: .patient,
            logger: try CapturedLog(level: .critical).logger,
            onListening: { port.yield($0) }
        )
        return try await withThrowingTaskGroup(of: Void.self) { tasks in
            tasks.addTask { try await server.run() }
            var iterator = ports.makeAsyncIterator()
            let value = try await work(try #require(await iterator.next()))
            tasks.cancelAll()
            return value
        }
    }

    /// A person who has signed in.
    func visitor(_ name: String = "ada", _ role: AdminRole = .operate, port: Int) -> Visitor {
        Visitor(session: sessions.begin(name, role), port: port)
    }
}

/// Somebody's browser.
struct Visitor: Sendable {
    let session: ConsoleSession
    let port: Int

    private var cookie: String { "\(ConsoleCookie.session.rawValue)=\(session.id)" }

    func get(_ path: String, headers: [String: String] = [:]) async throws -> PlainHTTP.Answer {
        try await PlainHTTP.send("GET", path, port: port, headers: headers.merging(["Cookie": cookie]) { $1 })
    }

    /// - Parameter form: with the form token of the session, unless it has one.
    func post(
        _ path: String,
        _ form: [String: String] = [:],
        headers: [String: String] = [:]
    ) async throws -> PlainHTTP.Answer {
        let fields = form.merging(["form": session.formToken]) { given, _ in given }
        let body = fields.map { "\(ConsolePath.encoded($0.key))=\(ConsolePath.encoded($0.value))" }
            .joined(separator: "&")
        let own = ["Cookie": cookie, "Content-Type": "application/x-www-form-urlencoded"]
        return try await PlainHTTP.send(
            "POST",
            path,
            port: port,
            headers: headers.merging(own) { given, _ in given },
            body: body
        )
    }
}

/// What the console asks of the database, said by a test.
final class FakeConsoleQueries: ConsoleQueries {
    private let said = Mutex<(reviews: [PendingReview], groups: [DeadLetterGroup])>(([], []))

    func say(reviews: [PendingReview] = [], groups: [DeadLetterGroup] = []) {
        said.withLock { $0 = (reviews, groups) }
    }

    func reviews(
        of payment: PaymentID?,
        after place: ReviewPlace?,
        limit: Int
    ) async throws(StoreError) -> [PendingReview] {
        let all = said.withLock { $0.reviews }
        let left = all.drop { review in place.map { (review.since, review.deadLetter) <= ($0.at, $0.id) } ?? false }
        return Array(left.filter { payment == nil || $0.payment.id == payment }.prefix(limit))
    }

    func groups(_ filter: DeadLetterFilter, limit: Int) async throws(StoreError) -> [DeadLetterGroup] {
        said.withLock { $0.groups }
    }

    func trace(of payment: PaymentID) async throws(StoreError) -> PaymentTrace { PaymentTrace() }

    func audit(before place: AuditPlace?, limit: Int) async throws(StoreError) -> [AuditLine] { [] }

    func schema() async throws(StoreError) -> String? { "0021_fingerprint_secrets" }
}

/// What all processors have done, said by a test; `nil`: it cannot be had.
final class FakeCommandMinutes: CommandMinutes {
    private let said = Mutex<CommandHour?>(nil)

    func say(_ minutes: [[CommandOutcome: Int]], seconds: Int = 0) {
        said.withLock { $0 = CommandHour(minutes: minutes, seconds: seconds) }
    }

    func note(_ counts: [CommandOutcome: Int], by member: String) async throws(StoreError) {}

    func lastHour() async throws(StoreError) -> CommandHour {
        guard let hour = said.withLock({ $0 }) else { throw StoreError(.unavailable, detail: "none") }
        return hour
    }
}
