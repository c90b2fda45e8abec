import Synchronization

/// The answers that came after their caller had given up waiting.
package final class LateAnswers: Sendable {
    /// One of them, with what it answers.
    struct Entry: Sendable {
        let claim: Claim
        let action: BankAction
        /// The requests before it.
        let sends: EarlierSends
        let answer: BankAnswer
        /// Of the delivery that asked.
        let messageID: String?
    }

    private struct State {
        /// Answers that are not completed yet.
        var pending = 0
        var isOver = false
        var waiters: [CheckedContinuation<Void, Never>] = []
    }

    // As many as there are calls to the bank, at most.
    private let entries: AsyncStream<Entry>
    private let continuation: AsyncStream<Entry>.Continuation
    private let state = Mutex(State())

    package init() {
        (entries, continuation) = AsyncStream.makeStream()
    }

    func add(_ entry: Entry) {
        state.withLock { $0.pending += 1 }
        continuation.yield(entry)
    }

    /// Completes the operations that they decide, until the task is cancelled.
    ///
    /// A late answer counts only while nobody else has taken its operation over; otherwise the store notes it in the history. What is
    /// decided here has no delivery behind it, so it is written to the outbox.
    package func run(_ context: ProcessorContext, _ signal: WakeUpSignal) async {
        let attempt = BankAttempt(context, notifiesByOutbox: true)
        await withDiscardingTaskGroup { group in
            for await entry in entries {
                group.addTask {
                    if await attempt.complete(entry) { signal.raise() }
                    self.end { $0.pending -= 1 }
                }
            }
        }
        end { $0.isOver = true }
    }

    /// Returns when every answer so far has been dealt with, or nobody deals with them any more.
    package func completed() async {
        await withCheckedContinuation { waiter in
            end { $0.waiters.append(waiter) }
        }
    }

    private func end(_ change: (inout State) -> Void) {
        let waiters = state.withLock { state in
            change(&state)
            guard state.pending == 0 || state.isOver else { return [] as [CheckedContinuation<Void, Never>] }
            defer { state.waiters = [] }
            return state.waiters
        }
        for waiter in waiters { waiter.resume() }
    }
}
