import Core
import HTTPTypes
import Logging
import ServiceLifecycle
import Testing

@testable import Processor

@Suite("The admin server", .timeLimit(.minutes(1)))
struct AdminServerTests {
    private let readiness = Readiness()
    /// Limits that no test reaches, however long it waits for its turn among the others.
    private static let patient = AdminLimits(header: .seconds(300), body: .seconds(300))

    private func server(
        _ queries: FakeQueries = FakeQueries(),
        token: String? = nil,
        port: Int = 0,
        limits: AdminLimits = patient,
        onListening: @escaping @Sendable (Int) async -> Void = { _ in }
    ) throws -> AdminServer {
        let registry = PrometheusRegistry()
        _ = ProcessorMetrics(registry: registry)
        return AdminServer(
            configuration: AdminConfiguration(host: "127.0.0.1", port: port, token: token.map { Secret($0) }),
            queries: queries,
            deadLetters: .inMemory(),
            resolver: ResolutionScene().resolver,
            readiness: readiness,
            metrics: registry,
            limits: limits,
            logger: try CapturedLog(level: .critical).logger,
            onListening: onListening
        )
    }

    /// Runs a server for one request.
    private func get(
        _ uri: String,
        from queries: FakeQueries = FakeQueries(),
        token: String? = nil,
        authorization: String? = nil
    ) async throws -> PlainHTTP.Answer {
        try await withServer(queries, token: token) { port in
            try await PlainHTTP.get(uri, port: port, authorization: authorization)
        }
    }

    private func send(_ method: String, _ uri: String) async throws -> PlainHTTP.Answer {
        try await withServer { port in try await PlainHTTP.send(method, uri, port: port) }
    }

    private func withServer<Value: Sendable>(
        _ queries: FakeQueries = FakeQueries(),
        token: String? = nil,
        limits: AdminLimits = patient,
        _ work: (Int) async throws -> Value
    ) async throws -> Value {
        let (ports, port) = AsyncStream.makeStream(of: Int.self)
        let server = try server(queries, token: token, limits: limits) { port.yield($0) }
        return try await withThrowingTaskGroup(of: Void.self) { tasks in
            tasks.addTask { try await server.run() }
            var iterator = ports.makeAsyncIterator()
            let value = try await work(try #require(await iterator.next()))
            tasks.cancelAll()
            return value
        }
    }

    @Test("it says that it lives")
    func health() async throws {
        let answer = try await get("/healthz")
        #expect(answer.status == 200 && answer.body == #"{"status":"ok"}"#)
        #expect(answer.headers["content-type"] == "application/json")
    }

    @Test(
        "readiness is broker and database; the bank's breaker is shown and does not count",
        arguments: [
            (Readiness.Link.ok, Readiness.Link.ok, BreakerCondition.closed, 200),
            (.ok, .ok, .open, 200), (.ok, .ok, .halfOpen, 200),
            (.connecting, .ok, .closed, 503), (.ok, .connecting, .closed, 503),
            (.lost, .ok, .closed, 503), (.ok, .lost, .halfOpen, 503), (.lost, .lost, .open, 503),
        ]
    )
    func ready(broker: Readiness.Link, database: Readiness.Link, bank: BreakerCondition, status: Int) async throws {
        readiness.setBroker(broker)
        readiness.setDatabase(database)
        readiness.setBank(bank)
        let answer = try await get("/readyz")
        #expect(answer.status == status)
        #expect(
            answer.body == """
                {"bank":"\(bank.rawValue)","broker":"\(broker.rawValue)","database":"\(database.rawValue)",\
                "ready":\(status == 200)}
                """
        )
    }

    @Test("before anybody has reported, it is not ready")
    func notReadyAtFirst() async throws {
        let answer = try await get("/readyz")
        #expect(answer.status == 503)
        #expect(
            answer.body == #"{"bank":"closed","broker":"connecting","database":"connecting","ready":false}"#
        )
    }

    @Test("metrics are Prometheus text")
    func metrics() async throws {
        let answer = try await get("/metrics")
        #expect(answer.status == 200)
        #expect(answer.headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8")
        #expect(answer.body.contains("\npayments_needs_attention_total 0\n"))
    }

    @Test("a payment comes with its history and its operations")
    func payment() async throws {
        let queries = FakeQueries([Samples.view()])
        let answer = try await get("/payments/00000000-0000-0000-0000-000000000001", from: queries)
        #expect(answer.status == 200)
        #expect(answer.body == Expected.view)
    }

    @Test(
        "what cannot be answered is an error with a code and a message",
        arguments: [
            ("/payments/00000000-0000-0000-0000-000000000002", 404, "not_found", "there is no such payment"),
            ("/payments/nonsense", 400, "invalid_request", "id: is not a UUID"),
            (
                "/payments", 400, "invalid_request",
                "order_id, customer_id, possible_orphans, status, idempotency_key, bank_id, message_id, since, until: "
                    + "at least one of them is needed"
            ),
            (
                "/payments?possible_orphans=false", 400, "invalid_request",
                "order_id, customer_id, possible_orphans, status, idempotency_key, bank_id, message_id, since, until: "
                    + "at least one of them is needed"
            ),
            ("/payments?possible_orphans=1", 400, "invalid_request", "possible_orphans: must be true or false"),
            (
                "/payments?order_id=", 400, "invalid_request",
                "order_id: must be 1 to 128 characters without control characters"
            ),
            (
                "/payments?order_id=%00", 400, "invalid_request",
                "order_id: must be 1 to 128 characters without control characters"
            ),
            ("/payments?order_id=a&limit=0", 400, "invalid_request", "limit: must be an integer from 1 to 200"),
            ("/payments?order_id=a&limit=201", 400, "invalid_request", "limit: must be an integer from 1 to 200"),
            ("/payments?order_id=a&limit=x", 400, "invalid_request", "limit: must be an integer from 1 to 200"),
            (
                "/payments?order_id=a&cursor=x", 400, "invalid_request",
                "cursor: is not a next_cursor of an earlier page"
            ),
            (
                "/payments?order_id=a&merchant_id=a%20b", 400, "invalid_request",
                "merchant_id: must be 1 to 64 letters, digits, '.', '_' and '-'"
            ),
            (
                "/payments?order_id=a&merchant=b", 400, "invalid_request",
                "query: has an unknown parameter; known are order_id, customer_id, possible_orphans, "
                    + "status, idempotency_key, bank_id, message_id, since, until, merchant_id, limit, cursor"
            ),
            ("/payments?order_id=a&order_id=b", 400, "invalid_request", "order_id: is given twice"),
            (
                "/payments/00000000-0000-0000-0000-000000000001?history=false", 400, "invalid_request",
                "query: has an unknown parameter; there is none here"
            ),
            ("/payments?order_id=%ff", 400, "invalid_request", "order_id: must be percent-encoded UTF-8"),
            ("/payments?order_id=%4", 400, "invalid_request", "order_id: must be percent-encoded UTF-8"),
            ("/nothing", 404, "not_found", "there is no such path"),
            ("/dead-letters/replay/x", 404, "not_found", "there is no such path"),
        ]
    )
    func errors(uri: String, status: Int, code: String, message: String) async throws {
        let answer = try await get(uri, from: FakeQueries([Samples.view()]))
        #expect(answer.status == status)
        #expect(answer.body == #"{"error":"\#(code)","message":"\#(message)"}"#)
        #expect(answer.headers["content-type"] == "application/json")
    }

    @Test(
        "a store that fails is 503 where it may recover, else 500, without its details",
        arguments: [
            (StoreError.Code.unavailable, 503, "unavailable"), (.refused, 500, "internal"),
            (.unreadable, 500, "internal"),
        ]
    )
    func storeFailures(code: StoreError.Code, status: Int, error: String) async throws {
        let queries = FakeQueries(failure: StoreError(code, detail: "42P01"))
        let answer = try await get("/payments?order_id=a", from: queries)
        #expect(answer.status == status)
        #expect(answer.body.hasPrefix(#"{"error":"\#(error)","message":""#))
        #expect(!answer.body.contains("42P01"))
    }

    @Test("a list goes on page by page, newest first")
    func pages() async throws {
        let views = (1...3).map { PaymentView(payment: Samples.payment($0), history: [], operations: []) }
        let queries = FakeQueries(views)
        let first = try await get("/payments?order_id=order-1&limit=2", from: queries)
        #expect(first.status == 200)
        let cursor = "2000000.00000000-0000-0000-0000-000000000002"
        #expect(
            first.body == """
                {"next_cursor":"\(cursor)","payments":[\(Expected.payment(3)),\(Expected.payment(2))]}
                """
        )
        let second = try await get(
            "/payments?customer_id=customer-1&merchant_id=default&cursor=\(cursor)",
            from: queries
        )
        #expect(second.body == #"{"next_cursor":null,"payments":[\#(Expected.payment(1))]}"#)
        #expect(queries.queries.map(\.limit) == [2, 50])
        #expect(queries.queries.map(\.merchantID) == [nil, .default])
    }

    @Test("possible orphans are listed with their grade, and each payment shows its own")
    func possibleOrphans() async throws {
        let views = [PossibleOrphan.suspected, nil, .unlikely].enumerated().map { index, orphan in
            PaymentView(payment: Samples.payment(UInt64(index + 1)), history: [], operations: [], orphan: orphan)
        }
        let queries = FakeQueries(views)
        let list = try JSONParser.parse(
            Array(try await get("/payments?possible_orphans=true", from: queries).body.utf8)
        )
        guard case .array(let payments)? = list["payments"] else {
            Issue.record("no list")
            return
        }
        #expect(payments.map { $0["possible_orphan"]?.string } == ["unlikely", "suspected"])
        #expect(queries.queries.map(\.filter) == [.possibleOrphans])
        let others = try await get("/payments?order_id=order-1", from: queries)
        #expect(!others.body.contains("possible_orphan"))
        let shown = try await get("/payments/00000000-0000-0000-0000-000000000003", from: queries)
        #expect(shown.body.contains(#""possible_orphan":"unlikely""#))
    }

    @Test(
        "where the path is there and takes another method, it is 405 with what it takes",
        arguments: [
            ("POST", "/healthz", "GET, HEAD"), ("DELETE", "/payments", "GET, HEAD"),
            ("PUT", "/payments/x", "GET, HEAD"),
            ("GET", "/payments/x/resolve", "POST"), ("PATCH", "/dead-letters", "GET, HEAD"),
            ("PUT", "/dead-letters/replay", "GET, HEAD, POST"), ("POST", "/metrics", "GET, HEAD"),
        ]
    )
    func methods(method: String, path: String, allowed: String) async throws {
        let answer = try await send(method, path)
        #expect(answer.status == 405)
        #expect(answer.headers["allow"] == allowed)
        #expect(answer.body == #"{"error":"method_not_allowed","message":"this path takes \#(allowed)"}"#)
    }

    @Test(
        "what does not come in time ends its connection without an answer, whoever sends it",
        arguments: [
            "GET /healthz HT", "POST /dead-letters/replay HTTP/1.1\r\nContent-Length: 9\r\n\r\n{",
            "GET /healthz HTTP/1.1\r\nContent-Length: 9\r\n\r\n{", "",
        ],
        [nil, "s3cret"]
    )
    func slowRequests(sent: String, token: String?) async throws {
        let limits = AdminLimits(header: .milliseconds(200), body: .milliseconds(100))
        let received = try await withServer(token: token, limits: limits) { port in
            try await PlainHTTP.received(after: sent, port: port)
        }
        #expect(received.isEmpty)
    }

    @Test("more connections than there may be wait until one is closed")
    func manyConnections() async throws {
        let answer = try await withServer(limits: AdminLimits(header: .seconds(300), connections: 1)) { port in
            let first = try PlainHTTP.Connection(port: port)
            try first.send("GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n")
            // Its answer shows that it is one of those that there may be, and it stays open.
            #expect(await first.receive().starts(with: Array("HTTP/1.1 200".utf8)))
            let second = try PlainHTTP.Connection(port: port)
            try second.send("GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
            #expect(await !second.hasBytes(within: 300))
            first.close()
            return try PlainHTTP.answer(String(decoding: await second.receiveAll(), as: UTF8.self))
        }
        #expect(answer.status == 200)
    }

    @Test("a body that is too long is refused")
    func longBody() async throws {
        let answer = try await withServer(limits: AdminLimits(header: .seconds(300), largestBody: 10)) { port in
            try await PlainHTTP.send("POST", "/dead-letters/replay", port: port, body: #"{"filter":{}}"#)
        }
        #expect(answer.status == 413)
        #expect(answer.body.hasPrefix(#"{"error":"invalid_request","message":""#))
    }

    @Test("ids may be percent-encoded, and a plus is a space")
    func plusIsSpace() async throws {
        let queries = FakeQueries()
        _ = try await get("/payments?order_id=a+b%2Bc+", from: queries)
        #expect(queries.queries.map(\.filter) == [.order("a b+c ")])
    }

    @Test("ids may be percent-encoded")
    func encodedIDs() async throws {
        let queries = FakeQueries()
        let answer = try await get("/payments?order_id=a%20b%26c%C3%A9", from: queries)
        #expect(answer.body == #"{"next_cursor":null,"payments":[]}"#)
        #expect(queries.queries.map(\.filter) == [.order("a b&cé")])
    }

    @Test(
        "with a token, all but the probes want it",
        arguments: [
            ("/healthz", nil, 200), ("/readyz", nil, 503), ("/metrics", nil, 401), ("/metrics", "Bearer wrong", 401),
            ("/metrics", "Bearer s3cre", 401), ("/metrics", "Bearer s3crets", 401), ("/metrics", "Bearer ", 401),
            ("/metrics", "Basic s3cret", 401), ("/metrics", "s3cret", 401), ("/metrics", "Bearer s3cret", 200),
            ("/metrics", "bearer s3cret", 200), ("/nothing", nil, 401), ("/nothing", "Bearer s3cret", 404),
            ("/payments?order_id=a", nil, 401), ("/payments?order_id=a", "Bearer s3cret", 200),
        ] as [(String, String?, Int)]
    )
    func tokens(uri: String, authorization: String?, status: Int) async throws {
        let answer = try await get(uri, token: "s3cret", authorization: authorization)
        #expect(answer.status == status)
        guard status == 401 else { return }
        #expect(answer.headers["www-authenticate"] == "Bearer")
        #expect(answer.body.hasPrefix(#"{"error":"unauthorized","message":""#))
    }

    @Test("who may not is told why")
    func refusals() {
        #expect(AdminAccess.Decision.allowed.refusal == nil)
        #expect(AdminAccess.Decision.unauthorized.refusal?.status.code == 401)
        #expect(AdminAccess.Decision.forbidden.refusal?.status.code == 403)
        #expect(AdminAccess.Decision.forbidden.refusal?.code == "forbidden")
    }

    @Test(
        "without a token a page of somebody else's gets nothing, and a form changes nothing",
        arguments: [
            ("GET", "/metrics", ["Host": "attacker.example"], 403),
            ("GET", "/payments?order_id=a", ["Origin": "http://attacker.example"], 403),
            ("GET", "/dead-letters", ["Sec-Fetch-Site": "cross-site"], 403),
            ("POST", "/dead-letters/discard", ["Content-Type": "text/plain"], 415),
            ("POST", "/payments/x/resolve", ["Content-Type": "application/x-www-form-urlencoded"], 415),
            ("POST", "/dead-letters/discard", ["Host": "attacker.example"], 403),
            ("POST", "/metrics", ["Content-Type": "text/plain"], 405),
            ("POST", "/none", ["Content-Type": "text/plain"], 404),
            ("GET", "/healthz", ["Host": "processor.example", "Origin": "http://a.example"], 200),
            ("GET", "/readyz", ["Host": "10.0.0.1:9090"], 503), ("GET", "/metrics", [:], 200),
        ] as [(String, String, [String: String], Int)]
    )
    func foreignPages(method: String, uri: String, headers: [String: String], status: Int) async throws {
        try await withServer { port in
            let answer = try await PlainHTTP.send(
                method,
                uri,
                port: port,
                headers: headers,
                body: method == "POST" ? "{}" : ""
            )
            #expect(answer.status == status)
        }
    }

    @Test("with a token, whoever has it is served by any name")
    func tokenByAnyName() async throws {
        try await withServer(token: "t") { port in
            let headers = ["Host": "processor.example", "Origin": "http://a.example", "Authorization": "Bearer t"]
            let answer = try await PlainHTTP.send("GET", "/metrics", port: port, headers: headers)
            #expect(answer.status == 200)
        }
    }

    @Test("as a service it listens on any free port, and a graceful shutdown ends it")
    func service() async throws {
        let (ports, port) = AsyncStream.makeStream(of: Int.self)
        let group = ServiceGroup(
            services: [try server { port.yield($0) }],
            logger: try CapturedLog(level: .critical).logger
        )
        try await withThrowingTaskGroup(of: Void.self) { tasks in
            tasks.addTask { try await group.run() }
            var iterator = ports.makeAsyncIterator()
            #expect(try #require(await iterator.next()) > 0)
            await group.triggerGracefulShutdown()
            try await tasks.waitForAll()
        }
    }

    @Test("a port that is taken is told with its keys")
    func takenPort() async throws {
        let (ports, port) = AsyncStream.makeStream(of: Int.self)
        let first = try server { port.yield($0) }
        try await withThrowingTaskGroup(of: Void.self) { tasks in
            tasks.addTask { try await first.run() }
            var iterator = ports.makeAsyncIterator()
            let taken = try #require(await iterator.next())
            let error = await #expect(throws: AdminServerError.self) { try await server(port: taken).run() }
            let expected = "the admin server cannot listen on 127.0.0.1 port \(taken) (admin.host, admin.port): "
            #expect(error?.description == "\(expected)Address already in use")
            tasks.cancelAll()
            try? await tasks.waitForAll()
        }
    }
}
