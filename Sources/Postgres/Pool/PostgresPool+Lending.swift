import Synchronization

extension PostgresPool {
    func borrow(until deadline: ContinuousClock.Instant) async throws(PostgresError) -> Lease {
        let (lease, id) = ledger.withLock { ledger in (ledger.borrow(), ledger.makeID()) }
        if let lease { return lease }
        let result = await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                wait(PoolLedger.Waiter(id: id, deadline: deadline, continuation: continuation))
            }
        } onCancel: {
            let waiter = ledger.withLock { $0.remove(waiter: id) }
            waiter?.continuation.resume(returning: .failure(PostgresError(.cancelled)))
        }
        return try result.get()
    }

    private func wait(_ waiter: PoolLedger.Waiter) {
        let (answer, isFirst) = ledger.withLock { ledger -> (Result<Lease, PostgresError>?, Bool) in
            if ledger.isClosed { return (.failure(PostgresError(.closed)), false) }
            // The handler has run already, and found no waiter to remove.
            if Task.isCancelled { return (.failure(PostgresError(.cancelled)), false) }
            if let lease = ledger.borrow() { return (.success(lease), false) }
            ledger.enqueue(waiter)
            return (nil, ledger.waiting == 1)
        }
        if let answer { waiter.continuation.resume(returning: answer) }
        if isFirst { waits.continuation.yield() }
    }

    /// Takes a connection back, on its thread: hands it on, keeps it, or closes it.
    func giveBack(_ lease: Lease, _ connection: isolated PostgresConnection) {
        let (waiter, isClosed, drained) = ledger.withLock { ledger in
            (ledger.giveBack(lease), ledger.isClosed, ledger.takeDrainers())
        }
        waiter?.continuation.resume(returning: .success(lease))
        if isClosed { connection.close() }
        for drainer in drained { drainer.resume() }
    }

    /// Tells those that have waited long enough.
    func expireWaiters() async {
        for await _ in waits.stream {
            while let deadline = ledger.withLock({ $0.nextDeadline }) {
                guard (try? await Task.sleep(until: deadline, clock: .continuous)) != nil else { return }
                let (expired, state) = ledger.withLock { ledger in
                    (ledger.takeExpired(at: .now), ledger.state)
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
