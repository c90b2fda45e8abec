import CPostgres
import Glibc

/// The waiting of one exchange: sends what is left to send, reads until a result is complete, and passes a wish to
/// cancel on to the server, once.
struct AnswerWait {
    let link: Link
    let deadline: ContinuousClock.Instant?
    let scope: CancelScope?
    let isCancellable: Bool

    private let start = ContinuousClock.now

    private(set) var isCancelSent = false
    private(set) var reason = "the server hung up"
    private var isLost = false

    /// For a server to pass on a wish to cancel.
    private static let cancelLimit = Duration.seconds(2)
    /// So often what other connections know of the server is looked at.
    private static let slice = Duration.milliseconds(200)

    init(link: Link, deadline: ContinuousClock.Instant?, scope: CancelScope?, isCancellable: Bool) {
        self.link = link
        self.deadline = deadline
        self.scope = scope
        self.isCancellable = isCancellable
    }

    /// False: the connection is lost.
    mutating func flush() -> Bool {
        while true {
            let left = PQflush(link.handle)
            // A failed write leaves what the server said before it hung up to be read.
            guard left == 1 else { return true }
            // The server may be unable to read on until we have read its answers.
            guard turn(events: Int16(POLLIN | POLLOUT)) else { return false }
        }
    }

    /// True: `PQgetResult` will not block. False: the connection is lost, and no complete answer is left of it.
    mutating func untilResult() -> Bool {
        while PQisBusy(link.handle) == 1 {
            // What had arrived before the loss is still worth reading: it may be the answer to a COMMIT.
            guard !isLost else { return false }
            _ = turn(events: Int16(POLLIN))
        }
        return true
    }

    private mutating func turn(events: Int16) -> Bool {
        guard link.socket >= 0 else {
            isLost = true
            return false
        }
        let wait = SocketWait(signal: link.signal)
        // The wish may be older than the wait.
        cancelIfAsked()
        guard !isLost else { return false }
        switch wait.wait(socket: link.socket, events: events, until: deadline.map { min($0, .now + Self.slice) }) {
        case .signalled:
            break
        case .timedOut:
            noticeSilence()
        case .ready(let ready):
            if ready & ~Int16(POLLOUT) != 0 {
                if PQconsumeInput(link.handle) == 0 { isLost = true } else { link.lastHeard = .now }
            }
        }
        return !isLost
    }

    private mutating func noticeSilence() {
        guard let deadline else { return }
        if deadline <= .now {
            link.silences.note(link.server, since: start)
        } else if !link.isSilent {
            return
        }
        isLost = true
        reason = "no answer in time"
    }

    /// Waits until the server has passed the wish on, so that it cannot meet a later statement; where that takes too long, there
    /// will be none.
    private mutating func cancelIfAsked() {
        guard isCancellable, !isCancelSent, link.signal.isAsked || scope?.isRequested ?? false else { return }
        isCancelSent = true
        guard let request = CancelRequest(link.handle), !request.send(within: Self.cancelLimit) else { return }
        isLost = true
        reason = "no answer in time"
    }
}

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
