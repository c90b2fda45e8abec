import CCurl
import Glibc
import Testing

@testable import HTTPClient

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

@Suite("HTTP errors", .timeLimit(.minutes(1)))
struct HTTPErrorTests {
    @Test("an unknown outcome is never to be retried as it is", arguments: HTTPError.Code.allCases)
    func unknownIsNotRetriable(code: HTTPError.Code) {
        #expect(!HTTPError(code, outcomeUnknown: true).isRetriable)
    }

    @Test("a description says in words what happened, then the code, libcurl's number and what is known")
    func description() {
        #expect(
            HTTPError(.timedOut, outcomeUnknown: true, curlCode: 28).description
                == "HTTP request failed: no whole answer in time (timed_out, libcurl 28); outcome unknown"
        )
        #expect(
            HTTPError(.shutDown, outcomeUnknown: false).description
                == "HTTP request failed: the client was shut down (shut_down); not sent"
        )
    }

    @Test("every code has words of its own")
    func words() {
        let explanations = HTTPError.Code.allCases.map { HTTPError($0, outcomeUnknown: false).explanation }
        #expect(Set(explanations).count == HTTPError.Code.allCases.count)
        #expect(explanations.allSatisfy { $0.contains(" ") })
    }

    static let failures: [(CURLcode, Int, Int, HTTPError.Code, String)] = [
        (CURLE_COULDNT_CONNECT, Int(ECONNREFUSED), 0, .connectFailed, "connection refused"),
        (CURLE_COULDNT_CONNECT, Int(EHOSTUNREACH), 0, .connectFailed, "no route to host"),
        (CURLE_COULDNT_CONNECT, Int(EMFILE), 0, .connectFailed, "too many open files"),
        (CURLE_COULDNT_CONNECT, 0, 0, .connectFailed, "no connection to the server"),
        (CURLE_COULDNT_RESOLVE_HOST, 0, 0, .resolveFailed, "the server's name cannot be resolved"),
        (CURLE_SSL_CONNECT_ERROR, 0, 0, .tlsFailed, "the TLS handshake failed, or the server does not speak TLS"),
        (CURLE_PEER_FAILED_VERIFICATION, 0, 10, .tlsFailed, "the server's certificate has expired"),
        (CURLE_PEER_FAILED_VERIFICATION, 0, 9, .tlsFailed, "the server's certificate is not valid yet"),
        (CURLE_PEER_FAILED_VERIFICATION, 0, 1, .tlsFailed, "the server's certificate is for another name"),
        (CURLE_PEER_FAILED_VERIFICATION, 0, 18, .tlsFailed, "the server's certificate is self-signed and not trusted"),
        (CURLE_PEER_FAILED_VERIFICATION, 0, 20, .tlsFailed, "the issuer of the server's certificate is not trusted"),
        (
            CURLE_SSL_CACERT_BADFILE, 0, 1, .tlsFailed, "the file of trusted certificate authorities cannot be read"
        ),
    ]

    @Test("what libcurl, the system and OpenSSL tell of a failed connection is said in words", arguments: failures)
    func causes(result: CURLcode, errno: Int, verification: Int, code: HTTPError.Code, explanation: String) {
        let error = HTTPError(result, wasSent: false, errno: errno, verification: verification)
        #expect(error.code == code)
        #expect(error.explanation == explanation)
        #expect(error.curlCode == Int(result.rawValue))
        #expect(!error.outcomeUnknown)
    }

    @Test("a connection that was closed instead of an answer is told from one that broke in the middle of it")
    func lostConnections() {
        let closed = HTTPError(CURLE_GOT_NOTHING, wasSent: true)
        let broken = HTTPError(CURLE_PARTIAL_FILE, wasSent: true)
        #expect(closed.code == .connectionLost && broken.code == .connectionLost)
        #expect(closed.explanation == "the server closed the connection without an answer")
        #expect(broken.explanation == "the connection ended before the answer was whole")
    }
}
