import Glibc

/// Why a keeper could not be started. `errno` names the reason of the operating system.
package enum ConnectionKeeperError: Error, Equatable, CustomStringConvertible {
    case noSocket(errno: Int32)
    case noProcess(errno: Int32)
    case noBoard(errno: Int32)

    package var description: String {
        switch self {
        case .noSocket(let errno): "no socket to the connection keeper: \(String(cString: strerror(errno)))"
        case .noProcess(let errno): "the connection keeper cannot be started: \(String(cString: strerror(errno)))"
        case .noBoard(let errno): "no shared memory for the connection keeper: \(String(cString: strerror(errno)))"
        }
    }
}
