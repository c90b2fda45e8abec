import HTTPClient
import Testing

@Suite("HTTP exchanges", .timeLimit(.minutes(1)))
struct ExchangeTests {
    @Test("status, header fields and body go there and come back")
    func roundTrip() async throws {
        try await withServer { connection in
            connection.readRequest()
            connection.answer("{\"a\":1}", status: "402 Payment Required", headers: "X-Trace: abc \r\nx-empty:\r\n")
        } _: { server, client in
            let request = HTTPRequest(
                method: .post,
                url: server.url("/path?q=1"),
                headers: [HTTPHeader("Idempotency-Key", "k-1"), HTTPHeader("X-Empty", "")],
                body: Array("hello".utf8),
                timeout: .seconds(10)
            )
            let response = try await client.send(request)
            #expect(response.status == 402)
            #expect(response.headers["x-TRACE"] == "abc")
            #expect(response.headers["X-Empty"]?.isEmpty == true)
            #expect(response.headers["absent"] == nil)
            #expect(response.body == Array("{\"a\":1}".utf8))
            let received = try #require(server.requests.first)
            #expect(received.line == "POST /path?q=1 HTTP/1.1")
            #expect(received.values("idempotency-key") == ["k-1"])
            #expect(received.values("x-empty") == [""])
            #expect(received.values("user-agent") == ["HTTPClient"])
            #expect(received.values("content-length") == ["5"])
            #expect(received.body == Array("hello".utf8))
        }
    }

    @Test("the client adds no field that nobody asked for", arguments: HTTPMethod.allCases)
    func noExtraFields(method: HTTPMethod) async throws {
        try await withServer { connection in
            while connection.readRequest() != nil { connection.answer() }
        } _: { server, client in
            let body = method == .get ? nil : Array(repeating: UInt8(ascii: "x"), count: 2 << 20)
            _ = try await client.send(HTTPRequest(method: method, url: server.url(), body: body, timeout: .seconds(10)))
            let received = try #require(server.requests.first)
            for name in ["Expect", "Content-Type", "Cookie", "Authorization", "Accept-Encoding", "Transfer-Encoding"] {
                #expect(received.values(name).isEmpty, "\(name)")
            }
        }
    }

    @Test("an empty body is announced where the method wants it", arguments: HTTPMethod.allCases, [nil, [UInt8]()])
    func emptyBody(method: HTTPMethod, body: [UInt8]?) async throws {
        try await withServer { connection in
            while connection.readRequest() != nil { connection.answer() }
        } _: { server, client in
            _ = try await client.send(HTTPRequest(method: method, url: server.url(), body: body, timeout: .seconds(10)))
            let received = try #require(server.requests.first)
            #expect(received.line == "\(method.rawValue) / HTTP/1.1")
            #expect(received.values("Content-Length") == (method == .post || method == .put ? ["0"] : []))
        }
    }

    @Test("a body of 1 MiB arrives whole")
    func largeBody() async throws {
        try await withServer { connection in
            let request = connection.readRequest()
            connection.answer("\(request?.body.count ?? -1)")
        } _: { server, client in
            let body = (0..<(1 << 20)).map { UInt8(truncatingIfNeeded: $0 &* 31) }
            let response = try await client.send(
                HTTPRequest(method: .put, url: server.url(), body: body, timeout: .seconds(10))
            )
            #expect(response.body == Array("1048576".utf8))
            #expect(server.requests.first?.body == body)
        }
    }

    @Test("connections are kept and used again, and methods may alternate on one")
    func keepAlive() async throws {
        try await withServer { connection in
            while let request = connection.readRequest() { connection.answer(request.line) }
        } _: { server, client in
            for method in HTTPMethod.allCases + HTTPMethod.allCases {
                let response = try await client.send(
                    HTTPRequest(method: method, url: server.url("/a"), timeout: .seconds(10))
                )
                #expect(response.body == Array("\(method.rawValue) /a HTTP/1.1".utf8))
            }
            #expect(server.acceptedConnections == 1)
        }
    }

    @Test("a body of a request is not sent with the next one")
    func bodiesDoNotLinger() async throws {
        try await withServer { connection in
            while connection.readRequest() != nil { connection.answer() }
        } _: { server, client in
            _ = try await client.send(.post(server.url(), "first"))
            _ = try await client.send(HTTPRequest(method: .delete, url: server.url(), timeout: .seconds(10)))
            _ = try await client.send(HTTPRequest(method: .post, url: server.url(), timeout: .seconds(10)))
            #expect(server.requests.map(\.body.count) == [5, 0, 0])
        }
    }

    @Test("a chunked answer is put together, its trailer left out")
    func chunked() async throws {
        try await withServer { connection in
            connection.readRequest()
            connection.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nabcd\r\n")
            connection.send("3\r\nefg\r\n0\r\nX-Trailer: t\r\n\r\n")
            connection.readToEnd()
        } _: { server, client in
            let response = try await client.send(.get(server.url()))
            #expect(response.body == Array("abcdefg".utf8))
            #expect(response.headers["X-Trailer"] == nil)
        }
    }

    @Test("informational answers are skipped")
    func informational() async throws {
        try await withServer { connection in
            connection.readRequest()
            connection.send("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nX-Early: 1\r\n\r\n")
            connection.answer(status: "201 Created")
        } _: { server, client in
            let response = try await client.send(.post(server.url(), "x"))
            #expect(response.status == 201)
            #expect(response.headers["X-Early"] == nil)
        }
    }

    @Test("204 and 304 are whole without a length", arguments: [204, 304])
    func noContent(status: Int) async throws {
        try await withServer { connection in
            while connection.readRequest() != nil { connection.send("HTTP/1.1 \(status) x\r\n\r\n") }
        } _: { server, client in
            for _ in 0..<2 {
                let response = try await client.send(.get(server.url()))
                #expect(response.status == status)
                #expect(response.body.isEmpty)
            }
            #expect(server.acceptedConnections == 1)
        }
    }

    @Test("a hundred requests at once each get their own answer")
    func concurrent() async throws {
        try await withServer { connection in
            while let request = connection.readRequest() {
                connection.answer(String(decoding: request.body, as: UTF8.self))
            }
        } configure: {
            $0.maxConnections = 16
        } _: { server, client in
            try await withThrowingTaskGroup(of: Bool.self) { group in
                for number in 0..<100 {
                    group.addTask {
                        let response = try await client.send(.post(server.url(), "number-\(number)."))
                        return response.body == Array("number-\(number).".utf8)
                    }
                }
                for try await isOwn in group { #expect(isOwn) }
            }
            #expect(server.requests.count == 100)
            #expect(server.acceptedConnections <= 16)
            for number in 0..<100 { #expect(server.count(of: "number-\(number).") == 1) }
        }
    }

    @Test("five hundred slow requests are in flight together")
    func manySlow() async throws {
        let gate = Gate()
        try await withServer { connection in
            connection.readRequest()
            gate.wait()
            gate.open()
            connection.answer()
        } configure: {
            $0.maxConnections = 500
        } _: { server, client in
            try await withThrowingTaskGroup(of: Int.self) { group in
                for _ in 0..<500 {
                    group.addTask { try await client.send(.get(server.url(), timeout: .seconds(30))).status }
                }
                try await eventually("all are there") { server.requests.count == 500 }
                gate.open()
                for try await status in group { #expect(status == 200) }
            }
        }
    }
}
