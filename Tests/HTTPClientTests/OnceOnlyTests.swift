import HTTPClient
import Testing

/// libcurl, left alone, sends a request again when a connection that was used before ends without an answer.
@Suite("No request is sent twice", .timeLimit(.minutes(1)))
struct OnceOnlyTests {
    enum Ending: CaseIterable {
        /// Reads the request, then closes.
        case readAndClosed
        /// Reads the request, then resets.
        case readAndReset
        /// Lets the request come in, then closes without reading it, which is a reset.
        case closedUnread
    }

    static let requests: [(HTTPMethod, Int)] = [
        (.get, 0), (.delete, 0), (.post, 0), (.post, 300), (.put, 300), (.post, 200_000), (.post, 1 << 20),
    ]

    @Test("a used connection that ends instead of answering", arguments: requests, Ending.allCases)
    func endsInsteadOfAnswering(request: (method: HTTPMethod, bodyBytes: Int), ending: Ending) async throws {
        try await withServer { connection in
            guard connection.index == 0 else {
                // A second copy would come in here and be answered.
                while connection.readRequest() != nil { connection.answer() }
                return
            }
            connection.readRequest()
            connection.answer()
            switch ending {
            case .readAndClosed: connection.readRequest()
            case .readAndReset:
                connection.readRequest()
                connection.reset()
            case .closedUnread: connection.waitForBytes()
            }
        } _: { server, client in
            _ = try await client.send(.get(server.url("/first")))
            let error = try await client.failure(
                of: HTTPRequest(
                    method: request.method,
                    url: server.url("/second"),
                    body: request.bodyBytes > 0 ? Array(repeating: 120, count: request.bodyBytes) : nil,
                    timeout: .seconds(10)
                )
            )
            #expect(error.code == .connectionLost)
            #expect(error.outcomeUnknown)
            #expect(server.count(of: "/second") == (ending == .closedUnread ? 0 : 1))
            #expect(server.acceptedConnections == 1)
        }
    }

    @Test("a used connection that ends, with other idle connections at hand")
    func idleConnectionsAtHand() async throws {
        let gate = Gate()
        try await withServer { connection in
            while let request = connection.readRequest() {
                if request.line.contains("/second") { return }
                if request.line.contains("/first") {
                    gate.wait()
                    gate.open()
                }
                connection.answer()
            }
        } _: { server, client in
            try await withThrowingTaskGroup(of: Void.self) { group in
                for _ in 0..<3 { group.addTask { _ = try await client.send(.get(server.url("/first"))) } }
                try await eventually("there are three connections") { server.requests.count == 3 }
                gate.open()
                try await group.waitForAll()
            }
            let error = try await client.failure(of: .post(server.url("/second"), "x"))
            #expect(error.code == .connectionLost)
            #expect(error.outcomeUnknown)
            #expect(server.count(of: "/second") == 1)
            #expect(server.acceptedConnections == 3)
        }
    }

    @Test("an idle connection the server has closed is left aside, one request goes out", arguments: [false, true])
    func idleConnectionClosed(byReset: Bool) async throws {
        try await withServer { connection in
            guard connection.index == 0 else {
                while connection.readRequest() != nil { connection.answer("of connection \(connection.index)") }
                return
            }
            connection.readRequest()
            connection.answer()
            if byReset { connection.reset() } else { connection.close() }
            connection.server.mark()
        } _: { server, client in
            _ = try await client.send(.get(server.url("/first")))
            try await eventually("the server has closed") { server.marks == 1 }
            let response = try await client.send(.post(server.url("/second"), "x"))
            #expect(response.body == Array("of connection 1".utf8))
            #expect(server.count(of: "/second") == 1)
        }
    }

    @Test("bytes that came over an idle connection are not taken for an answer", arguments: [false, true])
    func unaskedAnswer(thenCloses: Bool) async throws {
        let gate = Gate()
        try await withServer { connection in
            connection.readRequest()
            connection.answer("of connection \(connection.index)")
            if connection.index == 0 {
                gate.wait()
                connection.answer("nobody asked", status: "408 Request Timeout")
                if thenCloses { connection.close() }
                connection.server.mark()
            }
            if !thenCloses { connection.readToEnd() }
        } _: { server, client in
            _ = try await client.send(.get(server.url("/first")))
            gate.open()
            try await eventually("the unasked answer is there") { server.marks == 1 }
            let response = try await client.send(.post(server.url("/second"), "x"))
            #expect(response.status == 200)
            #expect(response.body == Array("of connection 1".utf8))
            #expect(server.count(of: "/second") == 1)
            #expect(server.acceptedConnections == 2)
        }
    }

    static let statuses = [
        "301 Moved", "302 Found", "307 Temporary Redirect", "308 Permanent Redirect", "401 Unauthorized",
        "407 Proxy Authentication Required", "408 Request Timeout", "417 Expectation Failed", "421 Misdirected Request",
        "425 Too Early", "426 Upgrade Required", "429 Too Many Requests", "500 Internal Server Error",
        "503 Unavailable",
    ]

    @Test("an answer that asks for another try is an answer like any other", arguments: statuses)
    func answersThatAsk(status: String) async throws {
        try await withServer { connection in
            while connection.readRequest() != nil {
                connection.answer(
                    status: status,
                    headers: "Location: /a\r\nWWW-Authenticate: Basic realm=\"x\"\r\nRetry-After: 0\r\nUpgrade: h2c\r\n"
                )
            }
        } _: { server, client in
            let url = "http://user:secret@127.0.0.1:\(server.port)/second"
            _ = try await client.send(.get(server.url("/first")))
            let response = try await client.send(.post(url, String(repeating: "x", count: 100_000)))
            #expect(response.status == Int(status.prefix(3)))
            #expect(server.requests.count == 2)
        }
    }
}
