import Core
import Glibc
import TestSupport
import Testing

extension CommandLane {
    @Suite("A start that fails while probes ask", .timeLimit(.minutes(10)))
    struct ProbedStartTests {
        @Test("ends with its one line and its exit code, every time")
        func otherSecret() async throws {
            try await World.run { world in
                try await world.startProcessor().terminate()
                let port = try ListeningSocket.unusedPort()
                let probing = (0..<8).map { _ in Self.probe(port) }
                defer { for task in probing { task.cancel() } }
                for attempt in 0..<25 {
                    let result = try await world.command(
                        ["run"],
                        ["FINGERPRINT_SECRET": "another-secret-than-before-0123456789", "ADMIN_PORT": "\(port)"]
                    )
                    #expect(result.exit == .status(78), "attempt \(attempt): \(result.errors)")
                    let lines = result.errors.split(separator: "\n").filter { $0.hasPrefix("processor: ") }
                    #expect(lines.count == 1 && lines[0].contains("fingerprint.secret"), "\(result.errors)")
                    #expect(!result.errors.contains("Fatal error"), "\(result.errors)")
                }
            }
        }

        /// Opens connections as fast as it can, and asks on each.
        private static func probe(_ port: UInt16) -> Task<Void, Never> {
            Task.detached {
                let request = Array("GET /readyz HTTP/1.1\r\nHost: localhost\r\n\r\n".utf8)
                while !Task.isCancelled {
                    let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
                    var address = sockaddr_in()
                    address.sin_family = sa_family_t(AF_INET)
                    address.sin_port = port.bigEndian
                    address.sin_addr.s_addr = in_addr_t(0x7f00_0001).bigEndian
                    let size = socklen_t(MemoryLayout<sockaddr_in>.size)
                    let isConnected = withUnsafePointer(to: &address) { pointer in
                        pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { connect(descriptor, $0, size) }
                    }
                    if isConnected == 0 { _ = Glibc.send(descriptor, request, request.count, Int32(MSG_NOSIGNAL)) }
                    close(descriptor)
                    await Task.yield()
                }
            }
        }
    }
}
