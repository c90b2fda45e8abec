import Synchronization

extension PostgresPool {
    func borrow(until deadline: ContinuousClock.Instant) async throws(PostgresError) -> Lease {
        let (lease, id) = tracker.withLock { tracker in (tracker.borrow(), tracker.makeID()) }
        if let lease { return lease }
        let result = await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                wait(PoolTracker.Waiter(id: id, deadline: deadline, continuation: continuation))
            }
        } onCancel: {
            let waiter = tracker.withLock { $0.remove(waiter: id) }
            waiter?.continuation.resume(returning: .failure(PostgresError(.cancelled)))
        }
        return try result.get()
    }

    private func wait(_ waiter: PoolTracker.Waiter) {
        let (answer, isFirst) = tracker.withLock { tracker -> (Result<Lease, PostgresError>?, Bool) in
            if tracker.isClosed { return (.failure(PostgresError(.closed)), false) }
            // The handler has run already, and found no waiter to remove.
            if Task.isCancelled { return (.failure(PostgresError(.cancelled)), false) }
            if let lease = tracker.borrow() { return (.success(lease), false) }
            tracker.enqueue(waiter)
            return (nil, tracker.waiting == 1)
        }
        if let answer { waiter.continuation.resume(returning: answer) }
        if isFirst { waits.continuation.yield() }
    }

    /// Takes a connection back, on its thread: hands it on, keeps it, or closes it.
    func giveBack(_ lease: Lease, _ connection: isolated PostgresConnection) {
        let (waiter, isClosed, drained) = tracker.withLock { tracker in
            (tracker.giveBack(lease), tracker.isClosed, tracker.takeDrainers())
        }
        waiter?.continuation.resume(returning: .success(lease))
        if isClosed { connection.close() }
        for drainer in drained { drainer.resume() }
    }

    /// Tells those that have waited long enough.
    func expireWaiters() async {
        for await _ in waits.stream {
            while let deadline = tracker.withLock({ $0.nextDeadline }) {
                guard (try? await Task.sleep(until: deadline, clock: .continuous)) != nil else { return }
                let (expired, state) = tracker.withLock { tracker in
                    (tracker.takeExpired(at: .now), tracker.state)
                }
                let failure = Self.failure(inState: state)
                for waiter in expired { waiter.continuation.resume(returning: .failure(failure)) }
            }
        }
    }

    private static func failure(inState state: PostgresPoolState) -> PostgresError {
        guard case .down(let cause) = state else { return PostgresError(.waitTimedOut) }
        var error = PostgresError(.connectFailed, reason: cause.reason, sqlState: cause.sqlState)
        error.server = cause.server
        return error
    }
}
