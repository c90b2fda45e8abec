import Glibc
import HTTPClient
import Logging
import Testing

@testable import BankSimulator

/// The simulator on a port of its own, and clients that talk to it.
struct LiveSimulator: Sendable {
    let port: Int

    /// Runs `body` against a fresh server, which is gone afterwards. No failures, no latency, keys stored at once,
    /// unless asked for.
    static func run(
        _ change: (inout SimulatorConfiguration) -> Void = { _ in },
        _ body: @escaping @Sendable (LiveSimulator) async throws -> Void
    ) async throws {
        var configuration = SimulatorConfiguration()
        configuration.failureRate = 0
        configuration.latency = 0...0
        configuration.keyStoreDelay = 0...0
        change(&configuration)

        var logger = Logger(label: "test")
        logger.logLevel = .error
        let simulator = Simulator(configuration: configuration)
        let server = SimulatorServer(simulator, host: "127.0.0.1", port: 0, logger: logger)
        let (ports, continuation) = AsyncStream.makeStream(of: Int.self)
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask {
                defer { continuation.finish() }
                try await server.run { continuation.yield($0) }
            }
            for await port in ports {
                let result: Result<Void, any Error>
                do {
                    try await body(LiveSimulator(port: port))
                    result = .success(())
                } catch {
                    result = .failure(error)
                }
                group.cancelAll()
                try? await group.waitForAll()
                try result.get()
                return
            }
            try await group.waitForAll()
        }
    }

    /// One request on a connection of its own.
    func send(
        _ method: HTTPMethod,
        _ path: String,
        key: String? = nil,
        _ body: String? = nil,
        timeout: Duration = .seconds(30)
    ) async throws -> HTTPResponse {
        let client = try HTTPClient(configuration: HTTPClientConfiguration())
        return try await client.send(request(method, path, key: key, body, timeout: timeout))
    }

    func request(
        _ method: HTTPMethod,
        _ path: String,
        key: String? = nil,
        _ body: String? = nil,
        timeout: Duration = .seconds(30)
    ) -> HTTPRequest {
        HTTPRequest(
            method: method,
            url: "http://127.0.0.1:\(port)\(path)",
            headers: key.map { [HTTPHeader("Idempotency-Key", $0)] } ?? [],
            body: body.map { Array($0.utf8) },
            timeout: timeout
        )
    }

    static let authorization = #"{"card_number":"4111111111111111","cvv":"123","amount":5000}"#

    /// An authorization under the key `k`.
    func authorize(key: String = "k", timeout: Duration = .seconds(30)) async throws -> HTTPResponse {
        try await send(.post, "/api/v1/authorizations", key: key, Self.authorization, timeout: timeout)
    }

    /// How many effects there are by now.
    func effects() async throws -> Int {
        try await list("/ledger", "entries").count
    }

    /// The entries of `GET /requests`, decoded.
    func requests() async throws -> [[String: JSONValue]] {
        try await list("/requests", "requests")
    }

    func fault(_ body: String) async throws {
        #expect(try await send(.post, "/faults", body).status == 201)
    }

    private func list(_ path: String, _ name: String) async throws -> [[String: JSONValue]] {
        let body = try await send(.get, path).body
        guard case .array(let entries)? = try JSONParser.onlyValue(in: body).members?[name] else { return [] }
        return entries.compactMap(\.members)
    }
}

extension HTTPResponse {
    var text: String { String(decoding: body, as: UTF8.self) }

    func header(_ name: String) -> String? { headers[name] }
}

/// A connection to the simulator, byte by byte: for what no HTTP client does or shows.
final class RawClient {
    private let descriptor: Int32
    private var isOpen = true
    private var bytes: [UInt8] = []

    struct Failed: Error {
        let errno: Int32
    }

    init(port: Int) throws {
        descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = UInt16(port).bigEndian
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        let result = withUnsafePointer(to: address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        guard result == 0 else { throw Failed(errno: errno) }
    }

    deinit { close() }

    /// A POST under a key, on a connection that is kept.
    func post(_ path: String, key: String, _ body: String) throws {
        try send(
            "POST \(path) HTTP/1.1\r\nHost: bank\r\nIdempotency-Key: \(key)\r\nContent-Length: \(body.utf8.count)"
                + "\r\n\r\n" + body
        )
    }

    func send(_ text: String) throws {
        let bytes = Array(text.utf8)
        let count = Glibc.send(descriptor, bytes, bytes.count, Int32(MSG_NOSIGNAL))
        guard count == bytes.count else { throw Failed(errno: errno) }
    }

    /// What has been received so far, and whether the server has closed the connection. Does not wait.
    func receive() throws -> (text: String, isAtEnd: Bool) {
        var buffer = [UInt8](repeating: 0, count: 65_536)
        while true {
            let count = recv(descriptor, &buffer, buffer.count, Int32(MSG_DONTWAIT))
            if count > 0 {
                bytes += buffer[..<count]
            } else if count < 0, errno == EAGAIN {
                return (text, false)
            } else if count == 0 {
                return (text, true)
            } else {
                throw Failed(errno: errno)
            }
        }
    }

    private var text: String { String(decoding: bytes, as: UTF8.self) }

    /// Ends only this side's half: the server reads an end, and could still answer.
    func closeHalf() {
        _ = shutdown(descriptor, Int32(SHUT_WR))
    }

    /// The orderly end of both halves.
    func close() {
        guard isOpen else { return }
        isOpen = false
        _ = Glibc.close(descriptor)
    }

    /// A reset instead of an orderly end.
    func reset() {
        var option = linger(l_onoff: 1, l_linger: 0)
        _ = setsockopt(descriptor, SOL_SOCKET, SO_LINGER, &option, socklen_t(MemoryLayout<linger>.size))
        close()
    }
}
