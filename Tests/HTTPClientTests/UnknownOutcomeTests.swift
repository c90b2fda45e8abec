import HTTPClient
import Testing

@Suite("Failures after sending", .timeLimit(.minutes(1)))
struct UnknownOutcomeTests {
    @Test("an answer that never comes, or comes too slowly, is a timeout", arguments: ["", "HTTP/1.1 200 OK\r\nConte"])
    func timeout(beginning: String) async throws {
        try await withServer { connection in
            connection.readRequest()
            connection.send(beginning)
            connection.readToEnd()
            connection.server.mark()
        } _: { server, client in
            let error = try await client.failure(of: .post(server.url(), "x", timeout: .seconds(1)))
            #expect(error.code == .timedOut)
            #expect(error.outcomeUnknown)
            #expect(!error.isRetriable)
            try await eventually("its connection was closed") { server.marks == 1 }
        }
    }

    @Test("a connection that nobody accepts is a timeout after sending")
    func backlogOnly() async throws {
        try await withServer(nil) { server, client in
            let error = try await client.failure(of: .post(server.url(), "x", timeout: .seconds(1)))
            #expect(error.code == .timedOut)
            #expect(error.outcomeUnknown)
        }
    }

    static let cutAnswers = [
        "", "HTTP", "HTTP/1.1 200 OK", "HTTP/1.1 200 OK\r\n", "HTTP/1.1 200 OK\r\nContent-Le",
        "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nabcd", "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n",
        "HTTP/1.1 204 No Content\r\n", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nab",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nabcde\r\n", "HTTP/1.1 100 Continue\r\n\r\n",
        "HTTP/1.0 200 OK\r\n", "HTTP/1.0 200 OK\r\nContent-Length: 5\r\n\r\nabcd",
        "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 5\r\n\r\nabcd",
        "HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 5\r\n\r\n\u{1F}",
    ]

    @Test("a cut answer is no answer, wherever it was cut", arguments: cutAnswers, [false, true])
    func cut(beginning: String, byReset: Bool) async throws {
        try await withServer { connection in
            connection.readRequest()
            connection.send(beginning)
            if byReset { connection.reset() }
        } _: { server, client in
            let error = try await client.failure(of: .post(server.url(), "x"))
            // A piece of a status line may also be taken for no HTTP at all.
            #expect(error.code == .connectionLost || (beginning == "HTTP" && error.code == .malformedResponse))
            #expect(error.outcomeUnknown)
            #expect(server.acceptedConnections == 1)
        }
    }

    static let malformedAnswers = [
        "hello\r\n\r\n", "SSH-2.0-OpenSSH_9.2\r\n", "\u{1}\u{2}\u{3}\u{4}\u{5}\u{6}\u{7}\u{8}", "<html>no</html>",
        "HTTP/9.9 200 OK\r\n\r\n", "HTTP/1.1 2x0 OK\r\nContent-Length: 0\r\n\r\n", "HTTP/1.1 99 OK\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n", "HTTP/1.1 200 OK\r\nContent-Length: 1x\r\n\r\na",
        "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab",
        "HTTP/1.1 200 OK\r\nContent-Length: 99999999999999999999\r\n\r\n",
        "HTTP/1.1 200 OK\r\nno colon\r\nContent-Length: 0\r\n\r\n",
        "HTTP/1.1 200 OK\r\nA: b\r\n folded: c\r\nContent-Length: 0\r\n\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Encoding: rot13\r\nContent-Length: 1\r\n\r\na",
        "HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 5\r\n\r\nplain",
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: h2c\r\nConnection: Upgrade\r\n\r\n",
    ]

    @Test("what is not a whole HTTP/1.1 answer is malformed", arguments: malformedAnswers)
    func malformed(answer: String) async throws {
        try await withServer { connection in
            connection.readRequest()
            connection.send(answer)
        } _: { server, client in
            let error = try await client.failure(of: .post(server.url(), "x"))
            #expect(error.code == .malformedResponse)
            #expect(error.outcomeUnknown)
        }
    }

    @Test("an answer of exactly the limit is taken", arguments: [false, true])
    func atTheLimit(isChunked: Bool) async throws {
        try await withServer { connection in
            connection.readRequest()
            connection.answerLarge(1000, isChunked: isChunked)
        } configure: {
            $0.maxResponseBytes = 1000
        } _: { server, client in
            let response = try await client.send(.get(server.url()))
            #expect(response.body.count == 1000)
        }
    }

    @Test("a larger answer is refused, announced or not", arguments: [false, true])
    func tooLarge(isChunked: Bool) async throws {
        try await withServer { connection in
            connection.readRequest()
            connection.answerLarge(1001, isChunked: isChunked)
            connection.readToEnd()
            connection.server.mark()
        } configure: {
            $0.maxResponseBytes = 1000
        } _: { server, client in
            let error = try await client.failure(of: .post(server.url(), "x"))
            #expect(error.code == .responseTooLarge)
            #expect(error.outcomeUnknown)
            try await eventually("its connection was closed") { server.marks == 1 }
        }
    }

    @Test("a header without end is refused")
    func largeHeader() async throws {
        try await withServer { connection in
            connection.readRequest()
            connection.send("HTTP/1.1 200 OK\r\n")
            for _ in 0..<2000 { connection.send("X-Filler: \(String(repeating: "x", count: 50))\r\n") }
            connection.readToEnd()
        } _: { server, client in
            let error = try await client.failure(of: .post(server.url(), "x"))
            #expect(error.code == .responseTooLarge)
            #expect(error.outcomeUnknown)
        }
    }

    @Test("after a timeout the connection is not used again, though its answer comes in the end")
    func lateAnswer() async throws {
        let gate = Gate()
        try await withServer { connection in
            connection.readRequest()
            if connection.index == 0 { gate.wait() }
            connection.answer("of connection \(connection.index)")
            connection.readToEnd()
            connection.server.mark()
        } _: { server, client in
            _ = try await client.failure(of: .post(server.url(), "x", timeout: .seconds(1)))
            gate.open()
            try await eventually("the late answer met a closed connection") { server.marks == 1 }
            let response = try await client.send(.get(server.url()))
            #expect(response.body == Array("of connection 1".utf8))
            #expect(server.acceptedConnections == 2)
        }
    }
}

extension RawConnection {
    fileprivate func answerLarge(_ count: Int, isChunked: Bool) {
        let body = String(repeating: "x", count: count)
        guard isChunked else { return answer(body) }
        send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n\(String(count, radix: 16))\r\n\(body)\r\n0\r\n\r\n")
    }
}
