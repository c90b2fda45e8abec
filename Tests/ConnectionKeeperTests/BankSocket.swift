import Glibc
import Synchronization
import TestSupport

/// A server of one connection that does nothing by itself, so that a test sees at any moment what its client has done.
final class BankSocket: Sendable {
    fileprivate struct State {
        var connection: Int32?
        var received: [UInt8] = []
        var isEnded = false
    }

    private let listener: ListeningSocket
    private let state = Mutex(State())

    init() throws {
        listener = try ListeningSocket(port: 0)
    }

    deinit {
        close()
        Glibc.close(listener.descriptor)
    }

    var url: String { "http://127.0.0.1:\(listener.port)/" }

    /// Whether a whole request, with a body of one byte, has come in.
    func hasRequest() -> Bool {
        state.withLock { state in
            if state.connection == nil {
                let descriptor = accept(listener.descriptor, nil, nil)
                if descriptor >= 0 { state.connection = descriptor }
            }
            state.read()
            return state.received.suffix(5) == Array("\r\n\r\nx".utf8)[...]
        }
    }

    /// Whether the client has ended the connection, in good order or not. On loopback the kernel tells as it happens.
    func isEnded() -> Bool {
        state.withLock { state in
            state.read()
            return state.isEnded
        }
    }

    func answer(_ status: String = "200 OK") {
        let bytes = Array("HTTP/1.1 \(status)\r\nContent-Length: 2\r\n\r\nok".utf8)
        state.withLock { state in
            guard let connection = state.connection else { return }
            _ = send(connection, bytes, bytes.count, Int32(MSG_NOSIGNAL))
        }
    }

    func close() {
        state.withLock { state in
            if let connection = state.connection { Glibc.close(connection) }
            state.connection = nil
        }
    }
}

extension BankSocket.State {
    fileprivate mutating func read() {
        guard let connection else { return }
        var buffer = [UInt8](repeating: 0, count: 4_096)
        while true {
            let count = recv(connection, &buffer, buffer.count, Int32(MSG_DONTWAIT))
            guard count > 0 else {
                isEnded = isEnded || count == 0 || errno != EAGAIN
                return
            }
            received += buffer[..<count]
        }
    }
}

/// What `/proc` tells of a process that is not our child.
struct ProcessInspection {
    let processID: pid_t

    /// A process that nobody has reaped yet is gone all the same.
    var isRunning: Bool {
        guard let state = statistics.first else { return false }
        return state != "Z" && state != "X"
    }

    var name: String {
        ScratchDirectory.read("/proc/\(processID)/comm").split(separator: "\n").first.map(String.init) ?? ""
    }

    var session: pid_t? { statistics.count > 3 ? pid_t(statistics[3]) : nil }

    var environment: String { ScratchDirectory.read("/proc/\(processID)/environ") }

    /// What each open descriptor stands for, by its number.
    var descriptors: [Int32: String] {
        guard let folder = opendir("/proc/\(processID)/fd") else { return [:] }
        defer { closedir(folder) }
        var found: [Int32: String] = [:]
        while let entry = readdir(folder) {
            let name = withUnsafeBytes(of: entry.pointee.d_name) { bytes in
                String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
            }
            guard let number = Int32(name) else { continue }
            var target = [CChar](repeating: 0, count: Int(PATH_MAX))
            let count = readlink("/proc/\(processID)/fd/\(name)", &target, target.count)
            found[number] = String(decoding: target.prefix(max(count, 0)).map(UInt8.init(bitPattern:)), as: UTF8.self)
        }
        return found
    }

    var sockets: Int { descriptors.values.count { $0.hasPrefix("socket:") } }

    func ignores(_ signal: Int32) -> Bool {
        let status = ScratchDirectory.read("/proc/\(processID)/status").split(separator: "\n")
        guard let line = status.first(where: { $0.hasPrefix("SigIgn:") }),
            let mask = UInt64(line.dropFirst(7).drop { $0 == "\t" }, radix: 16)
        else { return false }
        return mask & (1 << UInt64(signal - 1)) != 0
    }

    /// The fields after the command's name, which may hold blanks: state, parent, group, session, …
    private var statistics: [Substring] {
        let text = ScratchDirectory.read("/proc/\(processID)/stat")
        guard let end = text.lastIndex(of: ")") else { return [] }
        return text[text.index(after: end)...].split(separator: " ")
    }
}
