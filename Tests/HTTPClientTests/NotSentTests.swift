import Glibc
import HTTPClient
import Testing

@Suite("Failures before sending", .timeLimit(.minutes(1)))
struct NotSentTests {
    static let badURLs = [
        "", "127.0.0.1/", "ftp://127.0.0.1/", "file:///etc/passwd", "http://", "http:///x", "https:", "http:127.0.0.1",
        "http://127.0.0.1/a b", "http://127.0.0.1/\r\nX-Injected: 1", "http://127.0.0.1/\n", "http://127.0.0.1/\u{0}x",
        "http://127.0.0.1/é", "http://127.0.0.1:99999/", "http://[::1/",
    ]

    @Test("a URL that is none is refused", arguments: badURLs)
    func badURL(url: String) async throws {
        let client = try HTTPClient(configuration: HTTPClientConfiguration())
        let error = try await client.failure(of: .get(url))
        #expect(error.code == .invalidURL)
        #expect(!error.outcomeUnknown)
        #expect(!error.isRetriable)
    }

    static let badHeaders = [
        HTTPHeader("X", "a\r\nX-Injected: 1"), HTTPHeader("X", "a\nb"), HTTPHeader("X", "a\r"),
        HTTPHeader("X", "\u{0}"),
        HTTPHeader("X\r\nX-Injected", "1"), HTTPHeader("X Y", "1"), HTTPHeader("", "1"), HTTPHeader("X:", "1"),
        HTTPHeader("content-LENGTH", "0"), HTTPHeader("Transfer-Encoding", "chunked"),
        HTTPHeader("Expect", "100-continue"),
        HTTPHeader("Connection", "close"), HTTPHeader("Upgrade", "h2c"),
    ]

    @Test("a header field that would inject or steer is refused", arguments: badHeaders)
    func badHeader(header: HTTPHeader) async throws {
        try await withServer { connection in
            connection.readToEnd()
        } _: { server, client in
            var request = HTTPRequest.get(server.url())
            request.headers = [header]
            let error = try await client.failure(of: request)
            #expect(error == HTTPError(.invalidHeader, outcomeUnknown: false))
            #expect(server.acceptedConnections == 0)
        }
    }

    @Test("a GET with a body is refused")
    func getWithBody() async throws {
        let client = try HTTPClient(configuration: HTTPClientConfiguration())
        let request = HTTPRequest(method: .get, url: "http://127.0.0.1:1/", body: [1], timeout: .seconds(1))
        #expect(try await client.failure(of: request) == HTTPError(.invalidBody, outcomeUnknown: false))
    }

    @Test("connection refused")
    func refused() async throws {
        let server = try RawServer(nil)
        server.stop()
        let client = try HTTPClient(configuration: HTTPClientConfiguration())
        let error = try await client.failure(of: .post(server.url(), "x"))
        #expect(error.code == .connectFailed)
        #expect(error.cause == .system(ECONNREFUSED))
        #expect(!error.outcomeUnknown)
        #expect(error.isRetriable)
    }

    @Test("a name that cannot be one is not resolved")
    func unresolvable() async throws {
        // A label of more than 63 characters: the resolver says no without asking any server.
        let name = String(repeating: "a", count: 64) + ".invalid"
        let client = try HTTPClient(configuration: HTTPClientConfiguration())
        let error = try await client.failure(of: .post("http://user:secret@\(name)/", "x"))
        #expect(error.code == .resolveFailed)
        #expect(!error.outcomeUnknown)
        #expect(!String(reflecting: error).contains("secret"))
    }

    @Test("a full backlog ends in a connect timeout")
    func connectTimeout() async throws {
        try await withServer(nil, backlog: 0) {
            $0.connectTimeout = .milliseconds(300)
        } _: { server, client in
            // The kernel takes one more than the backlog; the rest of these never get their connection.
            let errors = try await withThrowingTaskGroup(of: HTTPError.self) { group in
                for _ in 0..<6 {
                    group.addTask { try await client.failure(of: .post(server.url(), "x", timeout: .seconds(2))) }
                }
                return try await group.reduce(into: []) { $0.append($1) }
            }
            #expect(errors.map(\.code).contains(.connectTimedOut))
            for error in errors {
                #expect([.connectTimedOut, .timedOut].contains(error.code))
                #expect(error.outcomeUnknown == (error.code == .timedOut))
            }
        }
    }

    @Test("a failed TLS handshake is not sent", arguments: ["HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", ""])
    func tls(answer: String) async throws {
        try await withServer { connection in
            connection.readSome()
            connection.send(answer)
        } _: { server, client in
            let error = try await client.failure(of: .post("https://127.0.0.1:\(server.port)/", "x"))
            #expect(error.code == .tlsFailed)
            #expect(!error.outcomeUnknown)
        }
    }

    @Test("a TLS handshake that never ends is a connect timeout")
    func tlsHangs() async throws {
        try await withServer { connection in
            connection.readToEnd()
        } configure: {
            $0.connectTimeout = .milliseconds(200)
        } _: { server, client in
            let error = try await client.failure(of: .post("https://127.0.0.1:\(server.port)/", "x"))
            #expect(error.code == .connectTimedOut)
            #expect(!error.outcomeUnknown)
        }
    }

    @Test("time runs while a request waits for a connection, and it is not sent when it is over")
    func timeoutInLine() async throws {
        try await withServer { connection in
            connection.readToEnd()
        } configure: {
            $0.maxConnections = 1
        } _: { server, client in
            let first = Task { try await client.send(.get(server.url("/first"))) }
            try await eventually("the first is under way") { server.count(of: "/first") == 1 }
            let error = try await client.failure(of: .get(server.url("/second"), timeout: .milliseconds(100)))
            #expect(error == HTTPError(.timedOut, outcomeUnknown: false))
            #expect(error.isRetriable)
            first.cancel()
            _ = await first.result
            #expect(server.count(of: "/second") == 0)
        }
    }

    @Test("no time at all is a timeout", arguments: [Duration.zero, .seconds(-1)])
    func noTime(timeout: Duration) async throws {
        let client = try HTTPClient(configuration: HTTPClientConfiguration())
        let error = try await client.failure(of: .get("http://127.0.0.1:1/", timeout: timeout))
        #expect(error == HTTPError(.timedOut, outcomeUnknown: false))
    }

    @Test("limits of nothing and a user agent with a line break are no configuration")
    func badConfiguration() {
        let broken: [(inout HTTPClientConfiguration) -> Void] = [
            { $0.maxConnections = 0 }, { $0.maxResponseBytes = 0 }, { $0.connectTimeout = .zero },
            { $0.idleTimeout = .zero }, { $0.userAgent = "a\r\nb" },
        ]
        for change in broken {
            var configuration = HTTPClientConfiguration()
            change(&configuration)
            #expect(throws: HTTPError(.invalidConfiguration, outcomeUnknown: false)) {
                try HTTPClient(configuration: configuration)
            }
        }
    }
}
