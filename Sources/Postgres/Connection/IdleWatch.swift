import Glibc

/// What a connection's thread does between two jobs: sleep, with an eye on the socket.
struct IdleWatch: Sendable {
    let wakeDescriptor: Int32
    let socket: Int32

    /// Returns when there is a job, or something to read; true in the second case.
    func sleep() -> Bool {
        var descriptors = (
            pollfd(fd: wakeDescriptor, events: Int16(POLLIN), revents: 0),
            pollfd(fd: socket, events: Int16(POLLIN), revents: 0)
        )
        _ = withUnsafeMutableBytes(of: &descriptors) { bytes in
            poll(bytes.baseAddress?.assumingMemoryBound(to: pollfd.self), 2, -1)
        }
        return descriptors.1.revents != 0
    }
}
