import Glibc

/// Sleeps until libpq's socket is ready, somebody asks for a cancel, or time is up.
struct SocketWait {
    enum Outcome: Equatable {
        /// The events of `poll` that hold, errors included.
        case ready(Int16)
        case signalled
        case timedOut
    }

    let signal: CancelSignal

    func wait(
        socket: Int32,
        events: Int16,
        until deadline: ContinuousClock.Instant?
    ) -> Outcome {
        while true {
            var descriptors = (
                pollfd(fd: socket, events: events, revents: 0),
                pollfd(fd: signal.readEnd, events: Int16(POLLIN), revents: 0)
            )
            let count = withUnsafeMutableBytes(of: &descriptors) { bytes in
                poll(bytes.baseAddress?.assumingMemoryBound(to: pollfd.self), 2, Self.milliseconds(until: deadline))
            }
            if count < 0 {
                guard errno == EINTR else { return .ready(Int16(POLLERR)) }
                continue
            }
            if count == 0 { return .timedOut }
            if descriptors.1.revents != 0 {
                signal.empty()
                // Both may hold; the socket is looked at again next time.
                return .signalled
            }
            return .ready(descriptors.0.revents)
        }
    }

    private static func milliseconds(until deadline: ContinuousClock.Instant?) -> Int32 {
        guard let deadline else { return -1 }
        let left = ContinuousClock.now.duration(to: deadline)
        // Rounded up, lest the last millisecond be spent spinning.
        return left > .zero ? Int32(clamping: PostgresConfiguration.milliseconds(left) + 1) : 0
    }
}
