import CRabbitMQ
import Glibc
import ThreadExecutor

/// The one owner of a librabbitmq connection: opens it, logs in, writes methods and hands out frames.
///
/// Used by one thread only. Nothing of the library's memory leaves this folder except in a frame, which is valid until
/// `releaseBuffers(of:)`.
final class BrokerLink {
    /// Enough for a status to be told from a frame.
    typealias Status = Int32

    let state: amqp_connection_state_t
    var arena = Arena()
    private(set) var frameMax = 131_072
    /// The negotiated interval in seconds, 0 for none.
    private(set) var heartbeat = 0
    /// The highest number of a channel.
    private(set) var channelMax = 0

    private var socket: Int32 { amqp_get_sockfd(state) }

    /// Connects and logs in; blocks its thread.
    ///
    /// - Throws: `connectFailed`, `tlsFailed`, `authenticationFailed`, `vhostRefused`, `invalidConfiguration`, …
    init(_ configuration: AMQPConfiguration) throws(AMQPError) {
        Self.ignoreBrokenPipes
        guard let state = amqp_new_connection() else { throw AMQPError(.connectFailed, problem: "out of memory") }
        self.state = state
        try open(configuration)
        tuneSocket(heartbeat: configuration.heartbeat)
        try logIn(configuration)
        frameMax = Int(amqp_get_frame_max(state))
        heartbeat = Int(amqp_get_heartbeat(state))
        channelMax = Int(amqp_get_channel_max(state))
    }

    deinit {
        // Frees without a word to the broker, and so never blocks.
        amqp_destroy_connection(state)
    }

    /// Writing to a connection that the other side has closed would end the process otherwise. Done once.
    private static let ignoreBrokenPipes: Void = {
        signal(SIGPIPE, SIG_IGN)
    }()

    /// Sends one method. `method` must be the C struct that belongs to `id`.
    func send<Method>(_ id: UInt32, on channel: UInt16, _ method: Method) -> Status {
        withUnsafePointer(to: method) { pointer in
            amqp_send_method(state, channel, id, UnsafeMutableRawPointer(mutating: pointer))
        }
    }

    func publish(_ request: PublishRequest, on channel: UInt16) -> Status {
        arena.reset()
        var properties = request.message.properties.encoded(in: &arena)
        let exchange = arena.bytes(request.exchange)
        let routingKey = arena.bytes(request.routingKey)
        return request.message.body.withUnsafeBytes { body in
            amqp_basic_publish(
                state,
                channel,
                exchange,
                routingKey,
                request.mandatory ? 1 : 0,
                0,
                &properties,
                amqp_bytes_t(len: body.count, bytes: UnsafeMutableRawPointer(mutating: body.baseAddress))
            )
        }
    }

    /// The next frame that is there already; `AMQP_STATUS_TIMEOUT` when there is none. Also sends the heartbeat when due.
    func nextFrame(_ frame: inout amqp_frame_t) -> Status {
        var noTime = timeval(tv_sec: 0, tv_usec: 0)
        return Status(amqp_simple_wait_frame_noblock(state, &frame, &noTime))
    }

    /// Frames that the library has read already: polling the socket would not show them.
    var hasBufferedFrames: Bool { amqp_frames_enqueued(state) != 0 || amqp_data_in_buffer(state) != 0 }

    /// Milliseconds until nothing will have been heard from the broker for two heartbeats, when the library gives it up; 1 at least.
    /// The heartbeats of the broker are no frames that we see, so the system is asked.
    var untilTooSilent: Int32 {
        var info = tcp_info()
        var size = socklen_t(MemoryLayout<tcp_info>.size)
        guard getsockopt(socket, Int32(IPPROTO_TCP), TCP_INFO, &info, &size) == 0 else { return .max }
        // A millisecond more, for what is rounded.
        return max(1, Int32(clamping: heartbeat * 2_000 + 1 - Int(info.tcpi_last_data_recv)))
    }

    func releaseBuffers(of channel: UInt16) {
        amqp_maybe_release_buffers_on_channel(state, channel)
    }

    /// Whether the socket takes more now. When it says yes, a message of common size goes out without blocking.
    var isWritable: Bool {
        var descriptor = pollfd(fd: socket, events: Int16(POLLOUT), revents: 0)
        return poll(&descriptor, 1, 0) > 0
    }

    /// Holds small writes back until `uncork()`, so that a turn's frames leave in few, large segments.
    func cork() { setOption(TCP_CORK, 1) }

    func uncork() { setOption(TCP_CORK, 0) }

    func wait(forWriting: Bool, milliseconds: Int32) -> TurnWait {
        TurnWait(
            descriptor: socket,
            events: Int16(forWriting ? POLLIN | POLLOUT : POLLIN),
            milliseconds: milliseconds
        )
    }

    private func tuneSocket(heartbeat: Duration) {
        setOption(TCP_NODELAY, 1)
        // The same patience for data that is not acknowledged as for silence: two heartbeats.
        let milliseconds = max(2, 2 * heartbeat.components.seconds) * 1_000
        setOption(TCP_USER_TIMEOUT, Int32(clamping: milliseconds))
    }

    private func setOption(_ option: Int32, _ value: Int32) {
        var value = value
        _ = setsockopt(socket, Int32(IPPROTO_TCP), option, &value, socklen_t(MemoryLayout<Int32>.size))
    }
}

/// An instant of the monotonic clock: what deadlines inside the driver are.
struct MonotonicTime: Comparable, Sendable {
    private let nanoseconds: UInt64

    static let distantFuture = MonotonicTime(nanoseconds: .max)

    static func now() -> MonotonicTime {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        return MonotonicTime(nanoseconds: UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec))
    }

    static func < (left: MonotonicTime, right: MonotonicTime) -> Bool {
        left.nanoseconds < right.nanoseconds
    }

    /// A negative duration counts as none, one that never ends as the distant future.
    func advanced(by duration: Duration) -> MonotonicTime {
        guard duration > .zero else { return self }
        let (seconds, attoseconds) = duration.components
        let (whole, isTooLong) = UInt64(seconds).multipliedReportingOverflow(by: 1_000_000_000)
        let (sum, isTooLate) = nanoseconds.addingReportingOverflow(whole)
        guard !isTooLong, !isTooLate else { return .distantFuture }
        return MonotonicTime(nanoseconds: sum &+ UInt64(attoseconds / 1_000_000_000))
    }

    /// Whole milliseconds from `other` until this instant, rounded up; 0 when it has passed.
    func milliseconds(after other: MonotonicTime) -> Int32 {
        guard self > other else { return 0 }
        return Int32(clamping: (nanoseconds - other.nanoseconds) / 1_000_000 + 1)
    }
}
