import Synchronization

/// A subscription to one queue: a sequence of its deliveries.
///
/// The sequence ends without an error after `cancel()` and after the connection was closed by this side; else with the
/// error that ended it: `cancelledByBroker` (the queue is gone or has moved), `channelClosed`, `connectionLost`, …. When
/// the task that iterates is cancelled, `next()` returns nil while the subscription goes on; `cancel()` it, or close the
/// connection. Deliveries that nobody takes out stay unsettled and are delivered again when the connection ends.
package struct AMQPConsumer: AsyncSequence, Sendable {
    package typealias Element = AMQPDelivery
    package typealias Failure = AMQPError

    package let queue: String
    package let consumerTag: String
    let buffer: DeliveryBuffer
    let activity: ConsumerActivity
    let connection: AMQPConnection

    package struct AsyncIterator: AsyncIteratorProtocol {
        let buffer: DeliveryBuffer

        package mutating func next() async throws(AMQPError) -> AMQPDelivery? {
            try await next(isolation: nil)
        }

        package mutating func next(
            isolation actor: isolated (any Actor)?
        ) async throws(AMQPError) -> AMQPDelivery? {
            try await buffer.next(isolation: actor)?.get()
        }
    }

    package func makeAsyncIterator() -> AsyncIterator {
        AsyncIterator(buffer: buffer)
    }

    /// Deliveries so far.
    package var deliveryCount: UInt64 { activity.current.deliveries }

    /// Since when it has been given nothing and has had nothing to settle; `nil` where something is not settled.
    package var quietSince: ContinuousClock.Instant? {
        let state = activity.current
        return state.unsettled == 0 ? state.lastSign : nil
    }

    /// Of the deliveries that nobody has taken out: when the oldest came, and when the first of those that expire has done so by the
    /// broker's count. `nil` where there are none.
    package var waiting: (since: ContinuousClock.Instant, expiry: ContinuousClock.Instant?)? { buffer.waiting }

    /// Whether no more deliveries come: it was stopped or cancelled, or its channel, connection or queue is gone.
    package var hasEnded: Bool { buffer.hasEnded }

    /// Ends the sequence at once. The broker is not told: what is buffered and what still comes, up to the prefetch, stays unsettled
    /// until `close()`. What was yielded can be settled.
    package func stop() { buffer.finish(nil, dropping: true) }

    /// Ends the subscription with its channel. What is not settled is delivered again, to the next consumer of the queue, in its order and
    /// before anything else: other than after `cancel()`, which lets the next one read on at once. Never fails: where the broker does
    /// not answer, the connection ends, which does the same.
    package func close() async { await connection.closeConsumer(consumerTag) }

    /// Stops the deliveries (`basic.cancel`). The channel stays until all that was delivered is settled; what is
    /// buffered is still yielded, then the sequence ends. Does nothing when the subscription has ended already.
    ///
    /// - Throws: why the connection ended before the broker had answered.
    package func cancel() async throws(AMQPError) {
        try await connection.cancelConsumer(consumerTag)
    }
}

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

/// What a consumer has been given, how much of it is not settled yet, and why nothing can be settled any more.
final class ConsumerActivity: Sendable {
    struct State: Sendable {
        /// Deliveries so far.
        var deliveries: UInt64 = 0
        var unsettled = 0
        /// When the last one came, or the subscription began.
        var lastSign = ContinuousClock.now
        /// Its channel has ended.
        var end: AMQPError?
    }

    private let state = Mutex(State())

    var current: State { state.withLock { $0 } }

    /// - Returns: now.
    func delivered() -> ContinuousClock.Instant {
        let now = ContinuousClock.now
        state.withLock { state in
            state.deliveries += 1
            state.unsettled += 1
            state.lastSign = now
        }
        return now
    }

    /// - Throws: why the channel has ended.
    func settled() throws(AMQPError) {
        let end = state.withLock { state in
            state.unsettled -= 1
            return state.end
        }
        if let end { throw end }
    }

    /// Only the first cause counts.
    func end(_ error: AMQPError) { state.withLock { $0.end = $0.end ?? error } }
}
