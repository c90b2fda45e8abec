/// Why a thread could not be started. `errno` names the reason of the operating system.
package enum ThreadExecutorError: Error, Equatable, CustomStringConvertible {
    case noWakeDescriptor(errno: Int32)
    case noThread(errno: Int32)

    package var description: String {
        switch self {
        case .noWakeDescriptor(let errno): "cannot create an event descriptor (errno \(errno))"
        case .noThread(let errno): "cannot start a thread (errno \(errno))"
        }
    }
}
