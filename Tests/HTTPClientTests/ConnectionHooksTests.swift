import Glibc
import HTTPClient
import Synchronization
import Testing

@Suite("Connection hooks", .timeLimit(.minutes(1)))
struct ConnectionHooksTests {
    /// Keeps a duplicate of each connection's descriptor, as a connection keeper does.
    private final class Duplicates: Sendable {
        private struct State {
            var open: [UInt64: Int32] = [:]
            var opened = 0
            var closed = 0
        }

        private let state = Mutex(State())

        deinit {
            for descriptor in state.withLock(\.open).values { close(descriptor) }
        }

        var opened: Int { state.withLock { $0.opened } }
        var closed: Int { state.withLock { $0.closed } }

        var hooks: ConnectionHooks {
            ConnectionHooks { descriptor, id in
                self.state.withLock { state in
                    #expect(state.open[id] == nil)
                    state.open[id] = dup(descriptor)
                    state.opened += 1
                }
            } closing: { id in
                self.state.withLock { state in
                    // The duplicate stays open: the end of the connection must not depend on it.
                    #expect(state.open[id] != nil)
                    state.closed += 1
                }
            }
        }
    }

    @Test("each connection is told once, before its first request, and again when it is closed")
    func announced() async throws {
        let duplicates = Duplicates()
        try await withServer { connection in
            while connection.readRequest() != nil {
                if duplicates.opened == connection.index + 1 { connection.server.mark() }
                connection.answer()
            }
            connection.server.mark()
        } configure: {
            $0.connectionHooks = duplicates.hooks
        } _: { server, client in
            for _ in 0..<3 { _ = try await client.send(.post(server.url(), "x")) }
            #expect(server.marks == 3)
            #expect(server.acceptedConnections == 1)
            #expect(duplicates.opened == 1)
            #expect(duplicates.closed == 0)
            await client.shutdown()
            #expect(duplicates.closed == 1)
            try await eventually("the server sees the end though a duplicate is open") { server.marks == 4 }
        }
    }

    @Test("a connection that is cut ends at once though a duplicate of it is open")
    func cut() async throws {
        let duplicates = Duplicates()
        try await withServer { connection in
            connection.readRequest()
            connection.readToEnd()
            connection.server.mark()
        } configure: {
            $0.connectionHooks = duplicates.hooks
        } _: { server, client in
            _ = try await client.failure(of: .post(server.url(), "x", timeout: .seconds(1)))
            try await eventually("the server sees the end") { server.marks == 1 }
            #expect(duplicates.opened == 1)
            #expect(duplicates.closed == 1)
        }
    }

    @Test("a connection that is never used is not told of")
    func neverUsed() async throws {
        let duplicates = Duplicates()
        let server = try RawServer(nil)
        server.stop()
        var configuration = HTTPClientConfiguration()
        configuration.connectionHooks = duplicates.hooks
        let client = try HTTPClient(configuration: configuration)
        _ = try await client.failure(of: .post(server.url(), "x"))
        #expect(duplicates.opened == 0)
        #expect(duplicates.closed == 0)
    }

    @Test("every connection of many is told of and closed", arguments: [true, false])
    func many(keepsAlive: Bool) async throws {
        let duplicates = Duplicates()
        try await withServer { connection in
            while connection.readRequest() != nil {
                connection.answer(headers: keepsAlive ? "" : "Connection: close\r\n")
                guard keepsAlive else { return }
            }
        } configure: {
            $0.maxConnections = 8
            $0.connectionHooks = duplicates.hooks
        } _: { server, client in
            try await withThrowingTaskGroup(of: Int.self) { group in
                for _ in 0..<100 { group.addTask { try await client.send(.post(server.url(), "x")).status } }
                for try await status in group { #expect(status == 200) }
            }
            await client.shutdown()
            #expect(duplicates.opened == server.acceptedConnections)
            #expect(duplicates.closed == duplicates.opened)
        }
    }

    @Test("a client that is released tells of the end of its connections")
    func released() async throws {
        let duplicates = Duplicates()
        let server = try RawServer { connection in
            while connection.readRequest() != nil { connection.answer() }
            connection.server.mark()
        }
        defer { server.stop() }
        try await { () async throws in
            var configuration = HTTPClientConfiguration()
            configuration.connectionHooks = duplicates.hooks
            let client = try HTTPClient(configuration: configuration)
            _ = try await client.send(.get(server.url()))
        }()
        try await eventually("the connection was closed") { server.marks == 1 && duplicates.closed == 1 }
    }
}
