import Core
import Logging
import Program
import ServiceLifecycle
import Testing

@testable import Processor

@Suite("The admin server", .timeLimit(.minutes(1)))
struct AdminServerTests: AdminScene {
    let readiness = Readiness()

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
                "ready":\(status == 200),"version":"\(ProductVersion.current)"}
                """
        )
    }

    @Test("before anybody has reported, it is not ready")
    func notReadyAtFirst() async throws {
        let answer = try await get("/readyz")
        #expect(answer.status == 503)
        #expect(
            answer.body == """
                {"bank":"closed","broker":"connecting","database":"connecting","ready":false,\
                "version":"\(ProductVersion.current)"}
                """
        )
    }

    @Test("metrics are Prometheus text")
    func metrics() async throws {
        let answer = try await get("/metrics")
        #expect(answer.status == 200)
        #expect(answer.headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8")
        #expect(answer.body.contains("\npayments_needs_attention_total 0\n"))
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

    @Test("two hundred slow connections keep nobody from being answered")
    func slowConnections() async throws {
        let answer = try await withServer(limits: AdminLimits(header: .seconds(300))) { port in
            let slow = try (0..<200).map { _ in try PlainHTTP.Connection(port: port) }
            for connection in slow { try connection.send("GET /payments?order_id=a HTTP/1.1\r\nHost: local") }
            let answer = try await PlainHTTP.get("/healthz", port: port)
            for connection in slow { connection.close() }
            return answer
        }
        #expect(answer.status == 200)
    }

    @Test(
        "a header of 65 KB, in one field, in many or in the path, ends its connection, and nothing else",
        arguments: [
            "GET /healthz HTTP/1.1\r\nHost: localhost\r\nX: \(String(repeating: "x", count: 65_000))\r\n\r\n",
            "GET /healthz HTTP/1.1\r\nHost: localhost\r\n\(String(repeating: "X: y\r\n", count: 10_000))\r\n",
            "GET /healthz?\(String(repeating: "x", count: 65_000)) HTTP/1.1\r\nHost: localhost\r\n\r\n",
        ]
    )
    func longHeader(request: String) async throws {
        let (received, after) = try await withServer { port in
            let received = try? await PlainHTTP.received(after: request, port: port)
            return (received ?? [], try await PlainHTTP.get("/healthz", port: port).status)
        }
        #expect(!received.starts(with: Array("HTTP/1.1 2".utf8)))
        #expect(after == 200)
    }

    @Test("a body that is too long is refused")
    func longBody() async throws {
        let answer = try await withServer(limits: AdminLimits(header: .seconds(300), largestBody: 10)) { port in
            try await PlainHTTP.send("POST", "/dead-letters/replay", port: port, body: #"{"filter":{}}"#)
        }
        #expect(answer.status == 413)
        #expect(answer.body.hasPrefix(#"{"error":"invalid_request","message":""#))
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

    @Test("a port that is taken is reported with its keys")
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
