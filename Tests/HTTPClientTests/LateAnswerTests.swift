import HTTPClient
import Testing

@Suite("Exchanges that go on without their caller", .timeLimit(.minutes(1)))
struct LateAnswerTests {
    enum Reason: CaseIterable { case timeout, cancellation }

    /// Sends a request that its caller gives up on after it was sent.
    private func giveUp(
        _ reason: Reason,
        on server: RawServer,
        of client: HTTPClient,
        limit: Duration = .seconds(60),
        late: LateOutcomes
    ) async throws -> HTTPError {
        let before = server.requests.count
        let timeout: Duration = reason == .timeout ? .seconds(1) : .seconds(30)
        let request = HTTPRequest.post(server.url("/late"), "x", timeout: timeout, limit: limit)
        let task = Task { try await client.failure(of: request, late: late) }
        try await eventually("it was sent") { server.requests.count > before }
        if reason == .cancellation { task.cancel() }
        return try await task.value
    }

    @Test(
        "the caller is let go at once, the answer comes to the callback, and its connection is used again",
        arguments: Reason.allCases
    )
    func answerComes(reason: Reason) async throws {
        let gate = Gate()
        let late = LateOutcomes()
        try await withServer { connection in
            while let request = connection.readRequest() {
                if request.line.contains("/late") { gate.wait() }
                connection.answer("answer to \(request.line)")
            }
        } _: { server, client in
            let error = try await giveUp(reason, on: server, of: client, late: late)
            #expect(error == HTTPError(reason == .timeout ? .timedOut : .cancelled, outcomeUnknown: true))
            #expect(late.all.isEmpty)
            gate.open()
            try await eventually("the answer came") { !late.all.isEmpty }
            #expect(late.bodies == ["answer to POST /late HTTP/1.1"])
            _ = try await client.send(.get(server.url("/next")), late: late.callback)
            #expect(server.acceptedConnections == 1)
            #expect(late.all.count == 1)
        }
    }

    @Test("a failure comes to the callback too", arguments: [false, true])
    func failureComes(byReset: Bool) async throws {
        let gate = Gate()
        let late = LateOutcomes()
        try await withServer { connection in
            connection.readRequest()
            gate.wait()
            if byReset { connection.reset() }
        } _: { server, client in
            _ = try await giveUp(.timeout, on: server, of: client, late: late)
            gate.open()
            try await eventually("it failed") { !late.all.isEmpty }
            let error = try #require(late.errors.first)
            #expect(error.code == .connectionLost)
            #expect(error.outcomeUnknown)
        }
    }

    @Test("at its limit the exchange is cut")
    func limitPasses() async throws {
        let late = LateOutcomes()
        try await withServer { connection in
            connection.readRequest()
            connection.readToEnd()
            connection.server.mark()
        } _: { server, client in
            let request = HTTPRequest.post(server.url(), "x", timeout: .seconds(1), limit: .seconds(2))
            let error = try await client.failure(of: request, late: late)
            #expect(error == HTTPError(.timedOut, outcomeUnknown: true))
            try await eventually("it ended") { !late.all.isEmpty }
            #expect(late.errors.map(\.code) == [.timedOut])
            #expect(late.errors.map(\.outcomeUnknown) == [true])
            try await eventually("its connection was closed") { server.marks == 1 }
        }
    }

    @Test("an answer in time is not told twice")
    func inTime() async throws {
        let late = LateOutcomes()
        try await withServer { connection in
            while connection.readRequest() != nil { connection.answer() }
        } _: { server, client in
            let request = HTTPRequest.post(server.url(), "x", limit: .seconds(60))
            _ = try await client.send(request, late: late.callback)
            _ = try await client.send(request, late: late.callback)
            #expect(late.all.isEmpty)
        }
    }

    @Test("a limit that is not longer than the timeout changes nothing", arguments: [nil, .zero, Duration.seconds(1)])
    func noLimit(limit: Duration?) async throws {
        let late = LateOutcomes()
        try await withServer { connection in
            connection.readRequest()
            connection.readToEnd()
            connection.server.mark()
        } _: { server, client in
            let request = HTTPRequest.post(server.url(), "x", timeout: .seconds(1), limit: limit)
            let error = try await client.failure(of: request, late: late)
            #expect(error.code == .timedOut)
            try await eventually("its connection was closed") { server.marks == 1 }
            #expect(late.all.isEmpty)
        }
    }

    @Test("what waits for a connection, held by a late exchange, ends as not sent", arguments: Reason.allCases)
    func waiting(reason: Reason) async throws {
        let gate = Gate()
        let late = LateOutcomes()
        let second = LateOutcomes()
        try await withServer { connection in
            while let request = connection.readRequest() {
                if request.line.contains("/late") { gate.wait() }
                connection.answer()
            }
        } configure: {
            $0.maxConnections = 1
        } _: { server, client in
            _ = try await giveUp(.timeout, on: server, of: client, late: late)
            let timeout: Duration = reason == .timeout ? .milliseconds(100) : .seconds(30)
            let request = HTTPRequest.post(server.url("/second"), "x", timeout: timeout, limit: .seconds(60))
            let task = Task { try await client.failure(of: request, late: second) }
            if reason == .cancellation { task.cancel() }
            let error = try await task.value
            #expect(error == HTTPError(reason == .timeout ? .timedOut : .cancelled, outcomeUnknown: false))
            let third = Task { try await client.send(.get(server.url("/third"))) }
            gate.open()
            #expect(try await third.value.status == 200)
            #expect(late.all.count == 1)
            #expect(second.all.isEmpty)
            #expect(server.count(of: "/second") == 0)
        }
    }

    @Test("what is still connecting ends as not sent", arguments: Reason.allCases)
    func connecting(reason: Reason) async throws {
        let late = LateOutcomes()
        try await withServer { connection in
            connection.readSome()
            connection.server.mark()
            connection.readToEnd()
            connection.server.mark()
        } configure: {
            $0.connectTimeout = .seconds(30)
        } _: { server, client in
            let timeout: Duration = reason == .timeout ? .seconds(1) : .seconds(30)
            let url = "https://127.0.0.1:\(server.port)/"
            let task = Task {
                try await client.failure(of: .post(url, "x", timeout: timeout, limit: .seconds(60)), late: late)
            }
            try await eventually("the handshake has begun") { server.marks >= 1 }
            if reason == .cancellation { task.cancel() }
            let error = try await task.value
            #expect(error == HTTPError(reason == .timeout ? .connectTimedOut : .cancelled, outcomeUnknown: false))
            try await eventually("its connection was closed") { server.marks == 2 }
            #expect(late.all.isEmpty)
        }
    }

    @Test("a late exchange is not sent again when its used connection ends instead of answering")
    func onceOnly() async throws {
        let gate = Gate()
        let late = LateOutcomes()
        try await withServer { connection in
            while let request = connection.readRequest() {
                if request.line.contains("/late") { return gate.wait() }
                connection.answer()
            }
        } _: { server, client in
            _ = try await client.send(.get(server.url("/first")))
            _ = try await giveUp(.cancellation, on: server, of: client, late: late)
            gate.open()
            try await eventually("it failed") { !late.all.isEmpty }
            #expect(late.errors.map(\.code) == [.connectionLost])
            #expect(server.count(of: "/late") == 1)
            #expect(server.acceptedConnections == 1)
        }
    }

    @Test("a shutdown ends it and tells the callback")
    func shutdown() async throws {
        let late = LateOutcomes()
        try await withServer { connection in
            connection.readRequest()
            connection.readToEnd()
            connection.server.mark()
        } _: { server, client in
            _ = try await giveUp(.timeout, on: server, of: client, late: late)
            await client.shutdown()
            #expect(late.errors == [HTTPError(.shutDown, outcomeUnknown: true)])
            try await eventually("its connection was closed") { server.marks == 1 }
        }
    }

    @Test(
        "a cancellation at any moment gives each request one result, and each that was given up after sending one more"
    )
    func cancelAtRandom() async throws {
        let late = LateOutcomes()
        try await withServer { connection in
            while connection.readRequest() != nil { connection.answer() }
        } configure: {
            $0.maxConnections = 4
        } _: { server, client in
            let unknown = await withTaskGroup(of: Int.self) { group in
                for number in 0..<400 {
                    group.addTask {
                        let request = HTTPRequest.post(server.url("/\(number)."), "x", limit: .seconds(60))
                        let task = Task { try await client.send(request, late: late.callback).status }
                        for _ in 0..<(number % 40) { await Task.yield() }
                        task.cancel()
                        switch await task.result {
                        case .success(let status): #expect(status == 200)
                        case .failure(let error as HTTPError):
                            #expect(error.code == .cancelled)
                            return error.outcomeUnknown ? 1 : 0
                        case .failure(let error): Issue.record(error)
                        }
                        return 0
                    }
                }
                return await group.reduce(0, +)
            }
            await client.whenIdle()
            #expect(late.errors.isEmpty)
            #expect(late.bodies.count == unknown)
            for number in 0..<400 { #expect(server.count(of: "/\(number). ") <= 1) }
        }
    }
}
