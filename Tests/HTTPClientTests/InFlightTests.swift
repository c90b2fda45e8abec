import Foundation
import HTTPClient
import Testing

@Suite("What is in flight", .timeLimit(.minutes(1)))
struct InFlightTests {
    @Test("an exchange counts from when it is sent until it has ended, its caller gone or not")
    func counted() async throws {
        let gate = Gate()
        let late = LateOutcomes()
        try await withServer { connection in
            while connection.readRequest() != nil {
                gate.wait()
                connection.answer()
            }
        } configure: {
            $0.maxConnections = 1
        } _: { server, client in
            #expect(await client.inFlight == 0)
            await client.whenIdle()
            let request = HTTPRequest.post(server.url(), "x", timeout: .seconds(1), limit: .seconds(60))
            _ = try await client.failure(of: request, late: late)
            // Waits for the connection: not sent, not counted.
            let second = Task { try await client.send(.get(server.url("/second"))) }
            #expect(await client.inFlight == 1)
            let idle = Task { await client.whenIdle() }
            gate.open()
            gate.open()
            _ = try await second.value
            await idle.value
            #expect(late.bodies == ["ok"])
            #expect(await client.inFlight == 0)
        }
    }

    @Test("who waits for idleness may be cancelled")
    func cancelled() async throws {
        try await withServer { connection in
            connection.readRequest()
            connection.readToEnd()
        } _: { server, client in
            let call = Task { try await client.failure(of: .post(server.url(), "x")) }
            try await eventually("it is under way") { server.requests.count == 1 }
            let waiter = Task { await client.whenIdle() }
            waiter.cancel()
            await waiter.value
            #expect(await client.inFlight == 1)
            // One that was cancelled before it asked.
            let another = Task {
                withUnsafeCurrentTask { $0?.cancel() }
                await client.whenIdle()
            }
            await another.value
            call.cancel()
            _ = try await call.value
            await client.whenIdle()
        }
    }

    @Test("abandoning ends every call, leaves the connections of what was sent open, and takes no more")
    func abandon() async throws {
        let gate = Gate()
        let late = LateOutcomes()
        try await withServer { connection in
            connection.readRequest()
            connection.server.mark()
            gate.wait()
            // The client's end is still open, or this would be a reset.
            if connection.isQuiet { connection.server.mark() }
            connection.answer()
        } configure: {
            $0.maxConnections = 2
        } _: { server, client in
            let request = HTTPRequest.post(server.url(), "x", timeout: .seconds(1), limit: .seconds(60))
            _ = try await client.failure(of: request, late: late)
            let awaited = Task { try await client.failure(of: .post(server.url("/awaited"), "x")) }
            try await eventually("both are under way") { server.marks == 2 }
            let waiting = Task { try await client.failure(of: .post(server.url("/waiting"), "x")) }
            let idle = Task { await client.whenIdle() }
            await Task.yield()
            #expect(await client.abandon() == 2)
            await idle.value
            #expect(late.errors == [HTTPError(.shutDown, outcomeUnknown: true)])
            #expect(try await awaited.value == HTTPError(.shutDown, outcomeUnknown: true))
            #expect(try await waiting.value == HTTPError(.shutDown, outcomeUnknown: false))
            #expect(try await client.failure(of: .get(server.url())) == HTTPError(.shutDown, outcomeUnknown: false))
            #expect(await client.inFlight == 0)
            #expect(await client.abandon() == 0)
            await client.shutdown()
            gate.open()
            gate.open()
            try await eventually("both connections were still open") { server.marks == 4 }
            #expect(server.count(of: "/waiting") == 0)
        }
    }

    @Test("an abandoned client leaves its connections open after its last reference is gone")
    func abandonedAndReleased() async throws {
        let gate = Gate()
        let server = try RawServer { connection in
            connection.readRequest()
            gate.wait()
            if connection.isQuiet { connection.server.mark() }
        }
        defer { server.stop() }
        weak let released = try await { () async throws -> HTTPClient in
            let client = try HTTPClient(configuration: HTTPClientConfiguration())
            let call = Task { try await client.failure(of: .post(server.url(), "x")) }
            try await eventually("it is under way") { server.requests.count == 1 }
            await client.abandon()
            _ = try await call.value
            return client
        }()
        try await eventually("the client is gone") { released == nil }
        gate.open()
        try await eventually("the connection was still open") { server.marks == 1 }
    }
}
