import Dispatch
import HTTPClient
import Synchronization
import Testing

/// Waits for a condition another thread will bring about; fails the test after ten seconds.
func eventually(
    _ what: Comment,
    sourceLocation: SourceLocation = #_sourceLocation,
    _ condition: @Sendable () -> Bool
) async throws {
    let deadline = ContinuousClock.now + .seconds(10)
    while !condition() {
        try #require(ContinuousClock.now < deadline, what, sourceLocation: sourceLocation)
        try await Task.sleep(for: .milliseconds(1))
    }
}

extension HTTPClient {
    /// The failure of a request that has to fail.
    func failure(
        of request: HTTPRequest,
        late: LateOutcomes? = nil,
        sourceLocation: SourceLocation = #_sourceLocation
    ) async throws -> HTTPError {
        do throws(HTTPError) {
            let response = try await send(request, late: late?.callback)
            Issue.record("answered with \(response.status)", sourceLocation: sourceLocation)
        } catch {
            return error
        }
        throw NoFailure()
    }
}

struct NoFailure: Error {}

/// A server that behaves so, a client for it, and their end.
func withServer<Result: Sendable>(
    _ behaviour: RawServer.Behaviour?,
    backlog: Int32 = 512,
    configure: (inout HTTPClientConfiguration) -> Void = { _ in },
    _ body: (RawServer, HTTPClient) async throws -> Result
) async throws -> Result {
    let server = try RawServer(backlog: backlog, behaviour)
    defer { server.stop() }
    var configuration = HTTPClientConfiguration()
    configure(&configuration)
    let client = try HTTPClient(configuration: configuration)
    do {
        let result = try await body(server, client)
        await client.shutdown()
        return result
    } catch {
        await client.shutdown()
        throw error
    }
}

extension HTTPRequest {
    static func get(_ url: String, timeout: Duration = .seconds(10)) -> HTTPRequest {
        HTTPRequest(method: .get, url: url, timeout: timeout)
    }

    static func post(
        _ url: String,
        _ body: String,
        timeout: Duration = .seconds(10),
        limit: Duration? = nil
    ) -> HTTPRequest {
        HTTPRequest(method: .post, url: url, body: Array(body.utf8), timeout: timeout, limit: limit)
    }
}

/// What the callbacks of late exchanges were told.
final class LateOutcomes: Sendable {
    private let outcomes = Mutex<[Result<HTTPResponse, HTTPError>]>([])

    var all: [Result<HTTPResponse, HTTPError>] { outcomes.withLock { $0 } }

    var bodies: [String] {
        all.compactMap { try? $0.get() }.map { String(decoding: $0.body, as: UTF8.self) }
    }

    var errors: [HTTPError] {
        all.compactMap { if case .failure(let error) = $0 { error } else { nil } }
    }

    var callback: @Sendable (Result<HTTPResponse, HTTPError>) -> Void {
        { outcome in self.outcomes.withLock { $0.append(outcome) } }
    }
}

/// Holds a server's thread until the test says so.
final class Gate: Sendable {
    private let semaphore = DispatchSemaphore(value: 0)

    func open() { semaphore.signal() }

    func wait() { _ = semaphore.wait(timeout: .now() + 20) }
}
