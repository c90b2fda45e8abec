import Synchronization

/// The deliveries of one consumer between the connection's thread and the task that iterates.
///
/// Bounded by the prefetch: the broker sends no more than that many unsettled ones, and what is in here is unsettled.
final class DeliveryBuffer: Sendable {
    typealias Element = Result<AMQPDelivery, AMQPError>?

    private struct Waiter {
        let id: UInt64
        let continuation: CheckedContinuation<Element, Never>
    }

    private struct State {
        var deliveries = FIFO<AMQPDelivery>()
        var waiters = FIFO<Waiter>()
        var nextWaiter: UInt64 = 0
        /// What comes after the last delivery: nil (the end) or, once, an error.
        var ending: Element?
    }

    private let state = Mutex(State())

    func add(_ delivery: AMQPDelivery) {
        let waiter = state.withLock { state -> Waiter? in
            guard state.ending == nil else { return nil }
            if let waiter = state.waiters.popFirst() { return waiter }
            state.deliveries.append(delivery)
            return nil
        }
        waiter?.continuation.resume(returning: .success(delivery))
    }

    var hasEnded: Bool { state.withLock { $0.ending != nil } }

    /// When the oldest delivery in here came, and when the first of those that expire does so at the latest.
    var waiting: (since: ContinuousClock.Instant, expiry: ContinuousClock.Instant?)? {
        state.withLock { state in
            guard let oldest = state.deliveries.first else { return nil }
            return (oldest.receivedAt, state.deliveries.all.compactMap(\.expiry).min())
        }
    }

    /// Ends the sequence after what is in it, or with `dropping` at once. Only the first call counts.
    func finish(_ error: AMQPError?, dropping: Bool = false) {
        let waiters = state.withLock { state -> [Waiter] in
            guard state.ending == nil else { return [] }
            if dropping { state.deliveries = FIFO() }
            let waiters = state.waiters.removeAll()
            // With somebody waiting there is nothing in here, and the error is told now.
            state.ending = .some(waiters.isEmpty ? error.map { .failure($0) } : nil)
            return waiters
        }
        for waiter in waiters { waiter.continuation.resume(returning: error.map { .failure($0) }) }
    }

    /// The next delivery, the error at the end, or nil: at the end, or when the waiting task is cancelled. Cancellation
    /// takes nothing out of the buffer.
    func next(isolation: isolated (any Actor)? = #isolation) async -> Element {
        if let element = takeNow() { return element }
        let id = state.withLock { state in
            state.nextWaiter += 1
            return state.nextWaiter
        }
        return await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                wait(Waiter(id: id, continuation: continuation))
                // A cancellation before the line above has found nobody.
                if Task.isCancelled { cancelWaiter(id) }
            }
        } onCancel: {
            cancelWaiter(id)
        }
    }

    private func takeNow() -> Element? {
        state.withLock { Self.take(from: &$0) }
    }

    private static func take(from state: inout State) -> Element? {
        if let delivery = state.deliveries.popFirst() { return .some(.success(delivery)) }
        guard let ending = state.ending else { return nil }
        state.ending = .some(nil)
        return .some(ending)
    }

    private func wait(_ waiter: Waiter) {
        let element = state.withLock { state -> Element? in
            if let element = Self.take(from: &state) { return element }
            state.waiters.append(waiter)
            return nil
        }
        if let element { waiter.continuation.resume(returning: element) }
    }

    private func cancelWaiter(_ id: UInt64) {
        let waiters = state.withLock { $0.waiters.extract { $0.id == id } }
        for waiter in waiters { waiter.continuation.resume(returning: nil) }
    }
}
