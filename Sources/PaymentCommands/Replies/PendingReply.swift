import ConfigurationText
import Core
import Synchronization

/// The reply to a command that the broker has, to be waited for any number of times, by any number of tasks.
public final class PendingReply: Sendable {
    public let paymentID: String
    public let idempotencyKey: String
    public let messageID: String

    private enum End {
        case final(ReceivedReply)
        case lost(PaymentClientError)
    }

    private struct Waiter {
        let onProvisional: (@Sendable (PaymentReply) -> Void)?
        let continuation: CheckedContinuation<End?, Never>
    }

    private struct State {
        var provisional: ReceivedReply?
        var end: End?
        var waiters: [Int: Waiter] = [:]
        var lastWaiter = 0
    }

    private let state = Mutex(State())

    init(to command: PaymentCommand) {
        paymentID = command.paymentID
        idempotencyKey = command.idempotencyKey
        messageID = command.messageID
    }

    /// What is known so far where that is not final: what the bank did is not known yet.
    public var provisional: PaymentReply? { state.withLock(\.provisional).map(PaymentReply.init) }

    /// Waits for the final reply.
    ///
    /// - Parameters:
    ///   - timeout: how long. The processor goes on with the command after it, and it may be waited for again.
    ///   - onProvisional: called with a reply that is not final, so that nobody wonders; be short. Always before the value is
    ///     returned, also where both replies had come before anybody waited.
    /// - Throws: `noReply`, also where the task is cancelled, or `connectionLost`. In both cases the command may have taken effect: send it
    ///   again, under the same key.
    public func value(
        within timeout: Duration = .seconds(60),
        onProvisional: (@Sendable (PaymentReply) -> Void)? = nil
    ) async throws(PaymentClientError) -> PaymentReply {
        let end: End? = await withTaskGroup(of: End?.self) { group in
            group.addTask { await self.end(onProvisional) }
            group.addTask {
                try? await Task.sleep(for: timeout)
                return nil
            }
            let first = await group.next() ?? nil
            group.cancelAll()
            return first
        }
        // What has come at the very end of the time counts.
        switch end ?? state.withLock(\.end) {
        case .final(let reply): return PaymentReply(reply)
        case .lost(let error): throw error
        case nil:
            throw PaymentClientError(
                .noReply,
                "no final reply within \(DurationText.text(of: timeout))",
                isPassing: true
            )
        }
    }

    /// - Returns: `nil` where the task was cancelled.
    private func end(_ onProvisional: (@Sendable (PaymentReply) -> Void)?) async -> End? {
        let number = state.withLock { state in
            state.lastWaiter += 1
            return state.lastWaiter
        }
        return await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let waiter = Waiter(onProvisional: onProvisional, continuation: continuation)
                let (end, provisional) = state.withLock { state -> (End?, ReceivedReply?) in
                    if state.end == nil { state.waiters[number] = waiter }
                    return (state.end, state.provisional)
                }
                if let provisional { onProvisional?(PaymentReply(provisional)) }
                if let end { return continuation.resume(returning: end) }
                // A cancellation before the lines above has found nobody to wake.
                if Task.isCancelled { wake(number) }
            }
        } onCancel: {
            wake(number)
        }
    }

    private func wake(_ number: Int) {
        state.withLock { $0.waiters.removeValue(forKey: number) }?.continuation.resume(returning: nil)
    }

    /// - Returns: whether nothing more is to come.
    func accept(_ reply: ReceivedReply) -> Bool {
        if reply.isFinal {
            finish(.final(reply))
        } else {
            let waiters = state.withLock { state -> [Waiter] in
                state.provisional = reply
                return Array(state.waiters.values)
            }
            for waiter in waiters { waiter.onProvisional?(PaymentReply(reply)) }
        }
        return reply.isFinal
    }

    /// No reply can come any more.
    func lose(_ error: PaymentClientError) { finish(.lost(error)) }

    private func finish(_ end: End) {
        let waiters = state.withLock { state -> [Waiter] in
            guard state.end == nil else { return [] }
            state.end = end
            defer { state.waiters = [:] }
            return Array(state.waiters.values)
        }
        for waiter in waiters { waiter.continuation.resume(returning: end) }
    }
}
