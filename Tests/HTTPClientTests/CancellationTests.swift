import HTTPClient
import Testing

@Suite("Cancellation and shutdown", .timeLimit(.minutes(1)))
struct CancellationTests {
    @Test("cancelling a request that was sent closes its connection, outcome unknown")
    func cancelSent() async throws {
        try await withServer { connection in
            connection.readRequest()
            connection.readToEnd()
            connection.server.mark()
        } _: { server, client in
            let task = Task { try await client.failure(of: .post(server.url(), "x")) }
            try await eventually("it was sent") { server.requests.count == 1 }
            task.cancel()
            #expect(try await task.value == HTTPError(.cancelled, outcomeUnknown: true))
            try await eventually("its connection was closed") { server.marks == 1 }
        }
    }

    @Test("cancelling a request that waits for a connection sends nothing, and the next one moves up")
    func cancelWaiting() async throws {
        let gate = Gate()
        try await withServer { connection in
            while let request = connection.readRequest() {
                if request.line.contains("/first") { gate.wait() }
                connection.answer()
            }
        } configure: {
            $0.maxConnections = 1
        } _: { server, client in
            let first = Task { try await client.send(.get(server.url("/first"))) }
            try await eventually("the first is under way") { server.requests.count == 1 }
            let second = Task { try await client.failure(of: .post(server.url("/second"), "x")) }
            let third = Task { try await client.send(.get(server.url("/third"))) }
            second.cancel()
            #expect(try await second.value == HTTPError(.cancelled, outcomeUnknown: false))
            gate.open()
            #expect(try await first.value.status == 200)
            #expect(try await third.value.status == 200)
            #expect(server.count(of: "/second") == 0)
        }
    }

    @Test("a cancelled task sends nothing")
    func alreadyCancelled() async throws {
        try await withServer { connection in
            while connection.readRequest() != nil { connection.answer() }
        } _: { server, client in
            let gate = Gate()
            let task = Task {
                gate.wait()
                return try await client.failure(of: .post(server.url(), "x"))
            }
            task.cancel()
            gate.open()
            let error = try await task.value
            #expect(error == HTTPError(.cancelled, outcomeUnknown: false))
            #expect(server.acceptedConnections == 0)
        }
    }

    @Test("cancelling while connecting is not sent")
    func cancelConnecting() async throws {
        try await withServer { connection in
            connection.readSome()
            connection.server.mark()
            connection.readToEnd()
        } _: { server, client in
            let task = Task { try await client.failure(of: .post("https://127.0.0.1:\(server.port)/", "x")) }
            try await eventually("the handshake has begun") { server.marks == 1 }
            task.cancel()
            let error = try await task.value
            #expect(error == HTTPError(.cancelled, outcomeUnknown: false))
        }
    }

    @Test("a cancellation at any moment gives each request one result")
    func cancelAtRandom() async throws {
        try await withServer { connection in
            while connection.readRequest() != nil { connection.answer() }
        } configure: {
            $0.maxConnections = 4
        } _: { server, client in
            await withTaskGroup(of: Bool.self) { group in
                for number in 0..<400 {
                    group.addTask {
                        let task = Task { try await client.send(.post(server.url(), "x")).status }
                        for _ in 0..<(number % 40) { await Task.yield() }
                        task.cancel()
                        switch await task.result {
                        case .success(let status): return status == 200
                        case .failure(let error as HTTPError): return error.code == .cancelled
                        case .failure: return false
                        }
                    }
                }
                for await isRight in group { #expect(isRight) }
            }
            let response = try await client.send(.get(server.url()))
            #expect(response.status == 200)
        }
    }

    @Test("a shutdown ends what is under way as unknown and what waits as not sent, and later calls fail")
    func shutdown() async throws {
        try await withServer { connection in
            connection.readRequest()
            connection.readToEnd()
            connection.server.mark()
        } configure: {
            $0.maxConnections = 1
        } _: { server, client in
            let first = Task { try await client.failure(of: .post(server.url("/first"), "x")) }
            try await eventually("the first is under way") { server.requests.count == 1 }
            let second = Task { try await client.failure(of: .post(server.url("/second"), "x")) }
            await Task.yield()
            await client.shutdown()
            #expect(try await first.value == HTTPError(.shutDown, outcomeUnknown: true))
            #expect(try await second.value == HTTPError(.shutDown, outcomeUnknown: false))
            let later = try await client.failure(of: .get(server.url()))
            #expect(later == HTTPError(.shutDown, outcomeUnknown: false))
            await client.shutdown()
            try await eventually("the connection was closed") { server.marks == 1 }
            #expect(server.count(of: "/second") == 0)
        }
    }

    @Test("a client nobody holds any more closes its connections")
    func release() async throws {
        let server = try RawServer { connection in
            while connection.readRequest() != nil { connection.answer() }
            connection.server.mark()
        }
        defer { server.stop() }
        weak let released = try await { () async throws -> HTTPClient in
            let client = try HTTPClient(configuration: HTTPClientConfiguration())
            _ = try await client.send(.get(server.url()))
            return client
        }()
        try await eventually("the connection was closed") { server.marks == 1 }
        #expect(released == nil)
    }
}
