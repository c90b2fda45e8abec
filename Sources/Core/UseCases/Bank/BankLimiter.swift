import Synchronization

/// Bounds how many commands are on their way to the bank and back, in the order in which they came; fewer when the bank says that
/// they are too many.
///
/// It lets twice as many in as the bank is asked at a time, so that there is always one ready to be sent; but not more, because what
/// is claimed and not sent looks, after a crash, as if it had been.
package final class BankLimiter: Sendable {
    private struct State {
        let most: Int
        var limit: Int
        var inside = 0
        /// Since it was lowered, or raised by one.
        var passed = 0
        var lastWaiter: UInt64 = 0
        /// In order.
        var line: [UInt64] = []
        var waiters: [UInt64: CheckedContinuation<Bool, Never>] = [:]

        var hasRoom: Bool { inside < limit && waiters.isEmpty }

        /// - Returns: `nil` where there is room at once.
        mutating func enterOrTakeNumber() -> UInt64? {
            if hasRoom {
                inside += 1
                return nil
            }
            lastWaiter += 1
            return lastWaiter
        }

        /// Those that were cancelled are in the line still, and have no continuation any more.
        mutating func next() -> CheckedContinuation<Bool, Never>? {
            while inside < limit, !line.isEmpty {
                guard let waiter = waiters.removeValue(forKey: line.removeFirst()) else { continue }
                inside += 1
                return waiter
            }
            return nil
        }
    }

    private let state: Mutex<State>

    /// - Parameter concurrency: `bank.concurrency`, at least 1.
    package init(concurrency: Int) {
        let most = max(concurrency, 1) * 2
        state = Mutex(State(most: most, limit: most))
    }

    /// How many are let in at the moment.
    package var limit: Int { state.withLock { $0.limit } }

    /// Waits for a place; each must be left.
    package func enter() async throws(CancellationError) {
        guard let number = state.withLock({ $0.enterOrTakeNumber() }) else { return }
        let isIn = await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let answer: Bool? = state.withLock { state in
                    if Task.isCancelled { return false }
                    if state.hasRoom {
                        state.inside += 1
                        return true
                    }
                    state.line.append(number)
                    state.waiters[number] = continuation
                    return nil
                }
                if let answer { continuation.resume(returning: answer) }
            }
        } onCancel: {
            state.withLock { $0.waiters.removeValue(forKey: number) }?.resume(returning: false)
        }
        if !isIn { throw CancellationError() }
    }

    package func leave() {
        state.withLock { state in
            state.inside -= 1
            state.passed += 1
            // Slowly back to where it was: one more for each full round.
            if state.limit < state.most, state.passed >= state.limit {
                state.limit += 1
                state.passed = 0
            }
        }
        admitNext()
    }

    /// The bank has had enough: half as many as there are.
    package func slowDown() {
        state.withLock { state in
            state.limit = max(min(state.limit, state.inside) / 2, 1)
            state.passed = 0
        }
    }

    private func admitNext() {
        while let waiter = state.withLock({ $0.next() }) { waiter.resume(returning: true) }
    }
}

/// A command's place among those on their way to the bank and back (`BankLimiter`), left once.
final class BankPlace: Sendable {
    private let limiter: BankLimiter
    private let isLeft = Mutex(false)

    /// Waits for a place.
    init(in limiter: BankLimiter) async throws(CancellationError) {
        self.limiter = limiter
        try await limiter.enter()
    }

    /// As soon as the bank has answered: what is being written keeps nobody from asking.
    func leave() {
        let wasLeft = isLeft.withLock { isLeft in
            defer { isLeft = true }
            return isLeft
        }
        if !wasLeft { limiter.leave() }
    }
}
