import CRabbitMQ
import ThreadExecutor

extension AMQPConnection {
    /// Frames read before the jobs and our own writes get another chance.
    private static let framesPerTurn = 4_096

    /// What the thread does after a round of jobs: take over what was left in the queues, dispatch every frame that
    /// has arrived, write what there is to write, look at the clock.
    ///
    /// - Parameter isDue: false where there is nothing new to read.
    /// - Returns: what to wait for.
    func turn(isDue: Bool) -> TurnWait {
        takePublishes()
        if isDue || link?.hasBufferedFrames == true { readFrames() }
        takeSettlements()
        let isStalled = write()
        expire()
        advanceClosing()
        guard let link else { return .forever }
        // The library reads while it writes, too: the socket does not show that.
        return link.wait(forWriting: isStalled, milliseconds: link.hasBufferedFrames ? 0 : patience(link))
    }

    private func readFrames() {
        guard let link else { return }
        var frame = amqp_frame_t()
        for _ in 0..<Self.framesPerTurn {
            let status = link.nextFrame(&frame)
            guard status == 0 else {
                if status != AMQP_STATUS_TIMEOUT.rawValue { finish(.lost(status)) }
                return
            }
            dispatch(frame, link)
            guard end == nil else { return }
            link.releaseBuffers(of: frame.channel)
        }
    }

    /// - Returns: whether something could not be written because the socket is full.
    private func write() -> Bool {
        guard let link, hasSomethingToWrite else { return false }
        if case .saidGoodbye = closing { return false }
        guard link.isWritable else { return true }
        link.cork()
        defer { link.uncork() }
        // Before the channel that they belong to may be closed.
        writeSettlements(link)
        closeDoneChannels()
        closeForRenewal()
        pumpChannels(link)
        return writePublishes(link)
    }

    private var hasSomethingToWrite: Bool {
        !control.isIdle || !consuming.isIdle || publishing.isWaiting || consuming.hasFrames
            || publishing.isDueForRenewal
    }

    private func pumpChannels(_ link: BrokerLink) {
        check(control.pump(link))
        for index in consuming.lanes.indices { check(consuming.withLane(index) { $0.channel.pump(link) }) }
        for index in publishing.lanes.indices {
            check(publishing.withLane(index) { $0.channel.pump(link, isNeeded: !$0.waiting.isEmpty) })
        }
        for deadline in [control.deadline, publishing.callDeadline, consuming.callDeadline] {
            note(deadline: deadline)
        }
    }

    /// Ends the connection when a write has failed: part of a frame may be gone.
    func check(_ status: BrokerLink.Status) {
        if status != AMQP_STATUS_OK.rawValue { finish(.lost(status)) }
    }

    /// Milliseconds until this thread must act by itself: half a heartbeat, or a deadline, or the moment from which on the broker has
    /// been silent for too long.
    private func patience(_ link: BrokerLink) -> Int32 {
        let heartbeat = link.heartbeat > 0 ? min(Int32(clamping: link.heartbeat) &* 500, link.untilTooSilent) : 30_000
        guard let nextDeadline else { return heartbeat }
        return min(heartbeat, nextDeadline.milliseconds(after: .now()))
    }

    func note(deadline: MonotonicTime?) {
        guard let deadline else { return }
        nextDeadline = min(nextDeadline ?? deadline, deadline)
    }

    private func expire() {
        let now = MonotonicTime.now()
        guard let due = nextDeadline, due <= now else { return }
        nextDeadline = nil
        note(deadline: publishing.expire(now: now))
        expireCalls(now)
        switch closing {
        case .no: break
        case .draining(let deadline), .saidGoodbye(let deadline): note(deadline: deadline)
        }
    }

    /// A broker that has blocked this connection reads nothing from it; else silence to a call means that the connection
    /// is in a state nobody knows.
    private func expireCalls(_ now: MonotonicTime) {
        let deadlines = [control.deadline, publishing.callDeadline, consuming.callDeadline]
        guard isBlocked || !deadlines.contains(where: { ($0 ?? .distantFuture) <= now }) else {
            return finish(AMQPError(.timeout, outcomeUnknown: true))
        }
        control.giveUpOverdueCall(now)
        publishing.giveUpOverdueCalls(now)
        consuming.giveUpOverdueCalls(now)
        for deadline in [control.deadline, publishing.callDeadline, consuming.callDeadline] {
            note(deadline: deadline)
        }
    }

    private func advanceClosing() {
        guard let link else { return }
        switch closing {
        case .no: break
        case .draining(let deadline):
            let isDone = publishing.isIdle && !consuming.hasFrames && control.isIdle && consuming.isIdle
            guard isDone || deadline <= MonotonicTime.now() else { return }
            closing = .saidGoodbye(deadline)
            let close = amqp_connection_close_t(
                reply_code: 200,
                reply_text: amqp_bytes_t(),
                class_id: 0,
                method_id: 0
            )
            check(link.send(AMQP_CONNECTION_CLOSE_METHOD, on: 0, close))
        case .saidGoodbye(let deadline):
            if deadline <= MonotonicTime.now() { finish(AMQPError(.closed)) }
        }
    }

    /// The end of the connection: everybody who waits hears of it, exactly once, and the library's memory is freed.
    func finish(_ error: AMQPError) {
        guard end == nil else { return }
        end = error
        executor.setTurnHook(nil)
        link = nil
        for request in publishQueue.close(error) { request.answer(.failure(error)) }
        publishing.failAll(error)
        control.failAll(error)
        consuming.failAll(error)
        let waiters = closeWaiters
        closeWaiters = []
        for waiter in waiters { waiter.resume(returning: error) }
        onEvent(.closed(error))
    }
}
