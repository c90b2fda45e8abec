import Glibc

/// What a turn ends with: sleep until the broker or one of our own tasks has something to say, or time is up.
struct SocketWait: Sendable {
    let socket: Int32
    let events: Int16
    let wakeDescriptor: Int32
    let milliseconds: Int32

    init(socket: Int32, events: Int16, wakeDescriptor: Int32, milliseconds: Int32) {
        self.socket = socket
        self.events = events
        self.wakeDescriptor = wakeDescriptor
        self.milliseconds = milliseconds
    }

    /// For our own tasks only, as long as it takes.
    init(wakeDescriptor: Int32) {
        self.init(socket: -1, events: 0, wakeDescriptor: wakeDescriptor, milliseconds: -1)
    }

    func callAsFunction() {
        var descriptors = (
            pollfd(fd: socket, events: events, revents: 0),
            pollfd(fd: wakeDescriptor, events: Int16(POLLIN), revents: 0)
        )
        withUnsafeMutableBytes(of: &descriptors) { bytes in
            _ = poll(bytes.assumingMemoryBound(to: pollfd.self).baseAddress, 2, milliseconds)
        }
    }
}
