import Foundation
import Glibc
import Testing

extension PlainHTTP {
    /// One connection to this machine, for what a client may do between the bytes that it sends.
    final class Connection: Sendable {
        private let descriptor: Int32

        init(port: Int) throws {
            descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
            try #require(descriptor >= 0)
            var address = sockaddr_in()
            address.sin_family = sa_family_t(AF_INET)
            address.sin_port = in_port_t(port).bigEndian
            address.sin_addr.s_addr = in_addr_t(0x7f00_0001).bigEndian
            let size = socklen_t(MemoryLayout<sockaddr_in>.size)
            let connected = withUnsafePointer(to: &address) { pointer in
                pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { connect(descriptor, $0, size) }
            }
            try #require(connected == 0)
        }

        deinit {
            Glibc.close(descriptor)
        }

        /// Says that nothing more comes, and wants nothing more.
        func close() {
            shutdown(descriptor, Int32(SHUT_RDWR))
        }

        func send(_ text: String) throws {
            try send(Array(text.utf8))
        }

        func send(_ bytes: [UInt8]) throws {
            try #require(Glibc.send(descriptor, bytes, bytes.count, Int32(MSG_NOSIGNAL)) == bytes.count)
        }

        /// Whether something can be read in that many milliseconds.
        func hasBytes(within milliseconds: Int32) async -> Bool {
            await onThread {
                var poll = pollfd(fd: self.descriptor, events: Int16(POLLIN), revents: 0)
                return Glibc.poll(&poll, 1, milliseconds) > 0
            }
        }

        /// What comes next; nothing when the server has closed it.
        func receive() async -> [UInt8] {
            await onThread { self.chunk() }
        }

        /// What comes until the server closes it.
        func receiveAll() async -> [UInt8] {
            await onThread {
                var bytes: [UInt8] = []
                while true {
                    let chunk = self.chunk()
                    guard !chunk.isEmpty else { return bytes }
                    bytes += chunk
                }
            }
        }

        private func chunk() -> [UInt8] {
            var chunk = [UInt8](repeating: 0, count: 65_536)
            let count = recv(descriptor, &chunk, chunk.count, 0)
            return Array(chunk.prefix(max(count, 0)))
        }

        /// On a thread of its own: the server needs those of the pool to answer.
        private func onThread<Value: Sendable>(_ work: @escaping @Sendable () -> Value) async -> Value {
            await withCheckedContinuation { continuation in
                Thread.detachNewThread { continuation.resume(returning: work()) }
            }
        }
    }
}
