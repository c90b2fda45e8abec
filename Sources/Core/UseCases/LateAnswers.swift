import Synchronization

/// The answers that came after their caller had given up waiting, and other things that no delivery waits for any more.
package final class LateAnswers: Sendable {
    /// One of them, with what it answers.
    struct Entry: Sendable {
        let claim: Claim
        let action: BankAction
        /// The requests before it.
        let sends: EarlierSends
        let answer: BankAnswer
    }

    private enum Work: Sendable {
        case answer(Entry)
        /// Of an authorize that another attempt has taken over.
        case secondLook(Settlement)
    }

    private struct State {
        /// Answers that are not completed yet.
        var pending = 0
        var isOver = false
        var waiters: [CheckedContinuation<Void, Never>] = []
    }

    // As many as there are calls to the bank, at most.
    private let works: AsyncStream<Work>
    private let continuation: AsyncStream<Work>.Continuation
    private let state = Mutex(State())

    package init() {
        (works, continuation) = AsyncStream.makeStream()
    }

    func add(_ entry: Entry) {
        state.withLock { $0.pending += 1 }
        continuation.yield(.answer(entry))
    }

    /// - Parameter settlement: a refused one, with an authorization of the bank.
    func lookAgain(_ settlement: Settlement) {
        continuation.yield(.secondLook(settlement))
    }

    /// Completes the operations that they decide, until the task is cancelled.
    ///
    /// A late answer counts only while nobody else has taken its operation over; otherwise the store notes it in the history. What is
    /// decided here has no delivery behind it, so it is written to the outbox.
    package func run(_ context: ProcessorContext, _ bell: OutboxBell) async {
        let attempt = BankAttempt(context, tellsByOutbox: true)
        await withDiscardingTaskGroup { group in
            for await work in works {
                group.addTask {
                    switch work {
                    case .answer(let entry):
                        if await attempt.complete(entry) { bell.ring() }
                        self.end { $0.pending -= 1 }
                    case .secondLook(let settlement):
                        await Self.lookAgain(settlement, context)
                    }
                }
            }
        }
        end { $0.isOver = true }
    }

    /// Returns when every answer so far has been dealt with, or nobody deals with them any more.
    package func settled() async {
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

    /// When the attempt that has taken the operation over has ended too: is its authorization the payment's?
    private static func lookAgain(_ settlement: Settlement, _ context: ProcessorContext) async {
        do {
            try await context.time.sleep(for: context.limits.lease)
            let outcome = try await context.patiently { () async throws(StoreError) in
                try await context.store.settle(settlement)
            }
            if outcome == .stray { context.observer.observe(.possibleOrphan(settlement.operation, .suspected)) }
        } catch {
            // The history has the bank's id already.
        }
    }
}
