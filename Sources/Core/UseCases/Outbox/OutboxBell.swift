import Synchronization

/// Wakes who waits for something to do: the relay when something was written to the outbox. A ring that nobody waits for is kept for the next who does.
package final class OutboxBell: Sendable {
    private struct State {
        var hasRung = false
        var waiters: [UInt64: CheckedContinuation<Void, Never>] = [:]
        var lastWaiter: UInt64 = 0
    }

    private let state = Mutex(State())

    package init() {}

    package func ring() {
        let waiters = state.withLock { state in
            defer { state.waiters = [:] }
            state.hasRung = state.waiters.isEmpty
            return state.waiters
        }
        for (_, waiter) in waiters.sorted(by: { $0.key < $1.key }) { waiter.resume() }
    }

    /// Returns at the next ring, or when so much time has passed.
    package func wait(atMost period: Duration, _ time: any TimeSource) async throws(CancellationError) {
        await withTaskGroup(of: Void.self) { group in
            group.addTask { await self.wait() }
            group.addTask { try? await time.sleep(for: period) }
            await group.next()
            group.cancelAll()
        }
        if Task.isCancelled { throw CancellationError() }
    }

    private func wait() async {
        let number = state.withLock { state in
            state.lastWaiter += 1
            return state.lastWaiter
        }
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let isOver = state.withLock { state in
                    if state.hasRung || Task.isCancelled {
                        if !Task.isCancelled { state.hasRung = false }
                        return true
                    }
                    state.waiters[number] = continuation
                    return false
                }
                if isOver { continuation.resume() }
            }
        } onCancel: {
            state.withLock { $0.waiters.removeValue(forKey: number) }?.resume()
        }
    }
}
