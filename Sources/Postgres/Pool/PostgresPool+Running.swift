import Synchronization

extension PostgresPool {
    /// Lost sooner than this after it was opened, a connection is not replaced at once.
    private static let shortLife = Duration.seconds(1)

    /// Keeps the connections open until the pool is closed or the task cancelled, which closes it. To be called once.
    package func run() async {
        await withDiscardingTaskGroup { group in
            group.addTask { await self.expireWaiters() }
            for await afterShortLife in openings.stream {
                group.addTask { await self.openConnection(afterShortLife: afterShortLife) }
            }
            group.cancelAll()
        }
        await close()
    }

    /// Tries until there is one more connection.
    private func openConnection(afterShortLife: Bool) async {
        var backoff = Backoff()
        var mustWait = afterShortLife
        while !Task.isCancelled {
            if mustWait { try? await Task.sleep(for: backoff.step()) }
            mustWait = true
            let slot = tracker.withLock { $0.makeID() }
            do throws(PostgresError) {
                let connection = try await PostgresConnection.connect(configuration) { [weak self] error in
                    self?.lost(slot, error)
                }
                if await admit(Lease(slot: slot, connection: connection)) { return }
            } catch  where error.code == .cancelled {
                return
            } catch {
                tracker.withLock { $0.noteFailure(error) }
                reportState()
            }
        }
    }

    private func admit(_ lease: Lease) async -> Bool {
        let (isAdded, waiter) = tracker.withLock { $0.add(lease, at: .now) }
        waiter?.continuation.resume(returning: .success(lease))
        if !isAdded { await lease.connection.close() }
        reportState()
        return isAdded
    }

    private func lost(_ slot: UInt64, _ error: PostgresError) {
        guard let age = tracker.withLock({ $0.lose(slot: slot, error, at: .now) }) else { return }
        reportState()
        openings.continuation.yield(age < Self.shortLife)
    }
}
