package import ThreadExecutor

/// An HTTP/1.1 client over libcurl, on one thread, with keep-alive connections.
///
/// It sends a request once or not at all: nothing is ever sent again, redirects are not followed, and every failure says
/// whether the request may have reached the server (`HTTPError.outcomeUnknown`). A connection whose exchange did not end with
/// a whole answer is closed. No cookies, no proxies, TLS 1.2 or later.
///
/// A caller may stop waiting before the exchange ends (`HTTPRequest.limit`): some servers undo their work, or forget an
/// idempotency key, when the connection of a request is cut.
///
/// The process must ignore SIGPIPE: TLS connections write without protection from it.
package actor HTTPClient {
    private let executor: ThreadExecutor
    private let engine: TransferEngine
    private var waiting = WaitingLine()
    private var idleWaiters: [UInt64: CheckedContinuation<Void, Never>] = [:]
    private var lastID: UInt64 = 0
    private var isShutDown = false

    nonisolated package var unownedExecutor: UnownedSerialExecutor { executor.asUnownedSerialExecutor() }

    /// Starts the thread; connects to nothing.
    ///
    /// - Parameter loop: the thread that it shares with others; `nil` for one of its own.
    /// - Throws: `outOfResources`, `invalidConfiguration`.
    package init(configuration: HTTPClientConfiguration, on loop: EventLoop? = nil) throws(HTTPError) {
        try configuration.validate()
        do {
            executor = try loop.map(ThreadExecutor.init(on:)) ?? ThreadExecutor(name: "http")
        } catch {
            throw HTTPError(.outOfResources, outcomeUnknown: false)
        }
        let poll = try EventPoll()
        engine = try TransferEngine(configuration: configuration, poll: poll)
        // The hook does not keep the client alive while it waits.
        executor.setTurnHook { [weak self] isDue in
            self?.assumeIsolated { client in
                client.turn(isDue ? poll.readySockets() : [])
                return TurnWait(descriptor: poll.descriptor, milliseconds: client.millisecondsToWait())
            } ?? .forever
        }
    }

    isolated deinit {
        engine.close()
    }

    /// Sends the request and waits for the whole answer, whatever its status.
    ///
    /// Cancelling the task, or the end of `request.timeout`, ends a request that has not been sent, at once and as not sent.
    /// One that has been sent ends with an unknown outcome: its exchange is cut and its connection closed, unless
    /// `request.limit` lets it go on without its caller. It then still occupies its connection, one of the configured number.
    ///
    /// - Parameter late: told how the exchange ended, once, where that was after the caller had given up on it; not called
    ///   otherwise. Its failures all have an unknown outcome. Runs on the client's thread, where it holds up all others.
    /// - Throws: `HTTPError`, which tells what is known to be not sent from what has an unknown outcome.
    package func send(
        _ request: HTTPRequest,
        late: (@Sendable (Result<HTTPResponse, HTTPError>) -> Void)? = nil
    ) async throws(HTTPError) -> HTTPResponse {
        try request.validate()
        guard !isShutDown else { throw HTTPError(.shutDown, outcomeUnknown: false) }
        guard !Task.isCancelled else { throw HTTPError(.cancelled, outcomeUnknown: false) }
        guard request.timeout > .zero else { throw HTTPError(.timedOut, outcomeUnknown: false) }
        lastID += 1
        let id = lastID
        let outcome = await withTaskCancellationHandler {
            await withCheckedContinuation { caller in
                admit(PendingRequest(id: id, request: request, caller: caller, late: late))
            }
        } onCancel: {
            // Runs after the request was admitted: until `send` waits, it does not leave the executor.
            Task { await self.cancel(id) }
        }
        return try outcome.get()
    }

    /// How many exchanges were sent and have not ended, those included that go on without their caller. 0 after
    /// `shutdown` and `abandon`.
    package var inFlight: Int { engine.sentCount }

    /// Returns when nothing is in flight (`inFlight`), or the task is cancelled.
    package func whenIdle() async {
        guard inFlight > 0 else { return }
        lastID += 1
        let id = lastID
        await withTaskCancellationHandler {
            await withCheckedContinuation { idleWaiters[id] = $0 }
        } onCancel: {
            // Runs after the waiter was added, as in `send`.
            Task { await self.stopWaitingForIdle(id) }
        }
    }

    /// Ends every request, waiting or under way, with `shutDown`, and closes all connections. Later calls of `send`
    /// fail. Whoever wants the answers waits for them first.
    package func shutdown() {
        guard stopAccepting() else { return }
        engine.close()
        resumeIdleWaiters()
        executor.setTurnHook(nil)
    }

    /// Ends every call with `shutDown`, as `shutdown` does, but closes no connection that carries a request: the kernel
    /// does, when the process ends. For a process that is about to end and does not want its servers to see a hang-up any
    /// sooner. Nobody reads the answers; handles and descriptors stay allocated.
    ///
    /// - Returns: how many exchanges were in flight.
    @discardableResult
    package func abandon() -> Int {
        guard stopAccepting() else { return 0 }
        let count = engine.abandon()
        resumeIdleWaiters()
        executor.setTurnHook(nil)
        return count
    }

    /// False: it did so before.
    private func stopAccepting() -> Bool {
        guard !isShutDown else { return false }
        isShutDown = true
        while let pending = waiting.popFirst() {
            pending.finish(.failure(HTTPError(.shutDown, outcomeUnknown: false)))
        }
        return true
    }

    private func admit(_ pending: PendingRequest) {
        guard engine.hasRoom else { return waiting.append(pending) }
        engine.start(pending)
    }

    private func cancel(_ id: UInt64) {
        if let pending = waiting.remove(id: id) {
            pending.finish(.failure(HTTPError(.cancelled, outcomeUnknown: false)))
        } else if !isShutDown {
            engine.giveUp(id, .cancelled)
            startWaiting()
            resumeIdleWaiters()
        }
    }

    private func turn(_ ready: [ReadySocket]) {
        guard !isShutDown else { return }
        engine.turn(ready)
        if waiting.nextDeadline != nil {
            for pending in waiting.removeExpired(at: .now) {
                pending.finish(.failure(HTTPError(.timedOut, outcomeUnknown: false)))
            }
        }
        startWaiting()
        resumeIdleWaiters()
    }

    private func resumeIdleWaiters() {
        guard !idleWaiters.isEmpty, inFlight == 0 else { return }
        for waiter in idleWaiters.values { waiter.resume() }
        idleWaiters.removeAll()
    }

    private func stopWaitingForIdle(_ id: UInt64) {
        idleWaiters.removeValue(forKey: id)?.resume()
    }

    private func startWaiting() {
        while engine.hasRoom, let pending = waiting.popFirst() { engine.start(pending) }
    }

    /// Until libcurl's timer, or the first deadline of a caller; -1 forever.
    private func millisecondsToWait() -> Int32 {
        let deadlines = [engine.timerDeadline, engine.nextDismissal, waiting.nextDeadline]
        guard let deadline = deadlines.compactMap(\.self).min() else { return -1 }
        let remaining = ContinuousClock.now.duration(to: deadline)
        return remaining <= .zero ? 0 : Int32(clamping: remaining.milliseconds)
    }
}
