/// The answers that came after their caller had given up waiting.
package final class LateAnswers: Sendable {
    /// One of them, with what it answers.
    struct Entry: Sendable {
        let claim: Claim
        let action: BankAction
        /// The requests before it.
        let sends: EarlierSends
        let answer: BankAnswer
    }

    private let entries: AsyncStream<Entry>
    private let continuation: AsyncStream<Entry>.Continuation

    package init() {
        // As many as there are calls to the bank, at most.
        (entries, continuation) = AsyncStream.makeStream()
    }

    func add(_ entry: Entry) {
        continuation.yield(entry)
    }

    /// Completes the operations that they decide, until the task is cancelled.
    ///
    /// A late answer counts only while nobody else has taken its operation over; otherwise the store notes it in the history. What is
    /// decided here has no delivery behind it, so it is written to the outbox.
    package func run(_ context: ProcessorContext, _ bell: OutboxBell) async {
        let attempt = BankAttempt(context, tellsByOutbox: true)
        await withDiscardingTaskGroup { group in
            for await entry in entries {
                group.addTask {
                    if await attempt.complete(entry) { bell.ring() }
                }
            }
        }
    }
}
