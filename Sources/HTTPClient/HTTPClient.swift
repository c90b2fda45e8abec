import ThreadExecutor

/// An HTTP/1.1 client over libcurl, on one thread of its own, with keep-alive connections.
///
/// It sends a request once or not at all: nothing is ever sent again, redirects are not followed, and every failure says
/// whether the request may have reached the server (`HTTPError.outcomeUnknown`). A connection whose exchange did not end with
/// a whole answer is closed. No cookies, no proxies, TLS 1.2 or later.
///
/// The process must ignore SIGPIPE: TLS connections write without protection from it.
package actor HTTPClient {
    private let executor: ThreadExecutor
    private let engine: TransferEngine
    private var waiting = WaitingLine()
    private var lastID: UInt64 = 0
    private var isShutDown = false

    nonisolated package var unownedExecutor: UnownedSerialExecutor { executor.asUnownedSerialExecutor() }

    /// Starts the thread; connects to nothing.
    ///
    /// - Throws: `outOfResources`, `invalidConfiguration`.
    package init(configuration: HTTPClientConfiguration) throws(HTTPError) {
        try configuration.validate()
        do {
            executor = try ThreadExecutor(name: "http")
        } catch {
            throw HTTPError(.outOfResources, outcomeUnknown: false)
        }
        let poll = try EventPoll(wakeDescriptor: executor.wakeDescriptor)
        engine = try TransferEngine(configuration: configuration, poll: poll)
        // The hook does not keep the client alive while it waits.
        executor.setTurnHook { [weak self] mayBlock in
            let milliseconds = mayBlock ? self?.assumeIsolated { $0.millisecondsToWait() } ?? -1 : 0
            let ready = poll.wait(milliseconds: milliseconds)
            self?.assumeIsolated { $0.turn(ready) }
        }
    }

    isolated deinit {
        engine.close()
    }

    /// Sends the request and waits for the whole answer, whatever its status.
    ///
    /// Cancelling the task ends the exchange and closes its connection.
    ///
    /// - Throws: `HTTPError`, which tells what is known to be not sent from what has an unknown outcome.
    package func send(_ request: HTTPRequest) async throws(HTTPError) -> HTTPResponse {
        try request.validate()
        guard !isShutDown else { throw HTTPError(.shutDown, outcomeUnknown: false) }
        guard !Task.isCancelled else { throw HTTPError(.cancelled, outcomeUnknown: false) }
        guard request.timeout > .zero else { throw HTTPError(.timedOut, outcomeUnknown: false) }
        lastID += 1
        let id = lastID
        let deadline = ContinuousClock.now + request.timeout
        let outcome = await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                admit(PendingRequest(id: id, request: request, deadline: deadline, continuation: continuation))
            }
        } onCancel: {
            // Runs after the request was admitted: until `send` waits, it does not leave the executor.
            Task { await self.cancel(id) }
        }
        return try outcome.get()
    }

    /// Ends every request, waiting or under way, with `shutDown`, and closes all connections. Later calls of `send`
    /// fail. Whoever wants the answers waits for them first.
    package func shutdown() {
        guard !isShutDown else { return }
        isShutDown = true
        while let pending = waiting.popFirst() {
            pending.finish(.failure(HTTPError(.shutDown, outcomeUnknown: false)))
        }
        engine.close()
        executor.setTurnHook(nil)
    }

    private func admit(_ pending: PendingRequest) {
        guard engine.hasRoom else { return waiting.append(pending) }
        engine.start(pending)
    }

    private func cancel(_ id: UInt64) {
        if let pending = waiting.remove(id: id) {
            pending.finish(.failure(HTTPError(.cancelled, outcomeUnknown: false)))
        } else if !isShutDown {
            engine.abort(id, .cancelled)
            startWaiting()
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
    }

    private func startWaiting() {
        while engine.hasRoom, let pending = waiting.popFirst() { engine.start(pending) }
    }

    /// Until libcurl's timer or the first deadline of those that wait; -1 for ever.
    private func millisecondsToWait() -> Int32 {
        guard let deadline = [engine.timerDeadline, waiting.nextDeadline].compactMap(\.self).min() else { return -1 }
        let remaining = ContinuousClock.now.duration(to: deadline)
        return remaining <= .zero ? 0 : Int32(clamping: remaining.milliseconds)
    }
}
