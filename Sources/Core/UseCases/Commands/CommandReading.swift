import Synchronization

/// One subscription to a command queue, from its first delivery until it is left to others.
///
/// A queue has one active consumer, so whoever reads it has its commands in their order. That holds beyond a change of readers if the
/// next one begins with the first command that this one has not acknowledged. A consumer that is cancelled does not give that: the next one
/// reads on behind what the first still holds. So a reader that is to stop reads nothing more, gets on with what it has read, and then
/// ends its subscription, which gives back the rest (docs/correctness.md#overtaking).
package final class CommandReading: Sendable {
    private enum Phase {
        case reading
        /// Nothing more is read.
        case stopped
        /// Everything read is done with, or the deliveries have failed.
        case ended
        /// Its subscription is closed, or about to be: what is not done with comes again, here or elsewhere.
        case left
    }

    private struct State {
        var phase = Phase.reading
        var isClosed = false
        /// What was read and is not done with.
        var inFlight = 0
        var failure: (any Error)?
        var onStop: (@Sendable () -> Void)?
        /// Of those who wait for any change.
        var waiters: [CheckedContinuation<Void, Never>] = []
    }

    private let state = Mutex(State())
    private let share: PartitionShare?
    private let prefetch: Int

    /// - Parameters:
    ///   - share: where the queue is a partition: it is left to its owner when there is something to read.
    ///   - prefetch: how many unacknowledged commands the subscription may have.
    package init(_ share: PartitionShare? = nil, prefetch: Int) {
        self.share = share
        self.prefetch = prefetch
    }

    /// Reads nothing more, from now on. What was read is still seen through. Can be called at any time, any number of times.
    package func stop() {
        let onStop = change { state in
            guard case .reading = state.phase else { return nil as (@Sendable () -> Void)? }
            state.phase = .stopped
            return state.onStop
        }
        onStop?()
    }

    /// Returns when its subscription has ended, and another one may take its place; some of what it has read may still be under way.
    package func untilClosed() async { await wait { $0.isClosed } }

    /// - Throws: what has ended its deliveries before their time.
    package func check<Failure: Error>(_ type: Failure.Type) throws(Failure) {
        if let failure = state.withLock({ $0.failure }) as? Failure { throw failure }
    }

    // MARK: The reader's part

    /// - Parameter onStop: called once, when it is to stop.
    func begin(onStop: @escaping @Sendable () -> Void) {
        let isStopped = state.withLock { state in
            state.onStop = onStop
            if case .reading = state.phase { return false }
            return true
        }
        if isStopped { onStop() }
    }

    /// Whether the next delivery is to be read; else nothing is from now on, for the queue is another member's.
    func takesNext() -> Bool {
        if isStopped { return false }
        guard share?.isToBeLeft == true else { return true }
        stop()
        return false
    }

    /// Leaves the queue to its owner also where nothing more is delivered, because what was read takes all room: what is behind it need not
    /// wait here for a slow bank while its owner has nothing to do.
    package func review() {
        guard !isStopped, state.withLock({ $0.inFlight >= prefetch }), share?.isToBeLeft == true else { return }
        stop()
    }

    /// Something was read, or is done with.
    func count(_ change: Int) { state.withLock { $0.inFlight += change } }

    /// Whether a command may wait here for others: only where that leaves half of the room to those behind it.
    var hasRoomToWait: Bool {
        state.withLock { state in
            if case .reading = state.phase { state.inFlight * 2 <= prefetch } else { false }
        }
    }

    /// Whether another processor waits for the queue.
    var isAwaited: Bool { share?.isAwaited ?? false }

    var isStopped: Bool {
        state.withLock { if case .reading = $0.phase { false } else { true } }
    }

    /// Whether what is not done with comes again: its order is not the business of who has read it any more.
    var hasLeft: Bool {
        state.withLock { if case .left = $0.phase { true } else { false } }
    }

    func end(_ failure: (any Error)?) {
        change { state in
            state.failure = failure
            if case .left = state.phase { return }
            state.phase = .ended
        }
    }

    func leave() { change { $0.phase = .left } }

    func close() { change { $0.isClosed = true } }

    func untilStopped() async {
        await wait { if case .reading = $0.phase { false } else { true } }
    }

    var hasEnded: Bool {
        state.withLock { if case .ended = $0.phase { true } else { false } }
    }

    // MARK: Changes

    @discardableResult
    private func change<Value: Sendable>(_ body: (inout State) -> Value) -> Value {
        let (value, waiters) = state.withLock { state in
            let value = body(&state)
            defer { state.waiters = [] }
            return (value, state.waiters)
        }
        for waiter in waiters { waiter.resume() }
        return value
    }

    /// Returns when it is so. Not cancellable: everything that is begun ends.
    private func wait(until isSo: @Sendable (State) -> Bool) async {
        while !state.withLock({ isSo($0) }) {
            await withCheckedContinuation { (waiter: CheckedContinuation<Void, Never>) in
                let isOver = state.withLock { state in
                    if isSo(state) { return true }
                    state.waiters.append(waiter)
                    return false
                }
                if isOver { waiter.resume() }
            }
        }
    }
}

/// The readings of the current connection, and whether there may be new ones.
package final class CommandReaders: Sendable {
    private struct State {
        var isDraining = false
        var isStopped = false
        /// In the order of their coming.
        var readings: [CommandReading] = []
    }

    private let state = Mutex(State())

    package init() {}

    package var isDraining: Bool { state.withLock { $0.isDraining } }

    /// Whether queues are to be read.
    package var areWanted: Bool { state.withLock { !$0.isStopped && !$0.isDraining } }

    /// There may be readings again, on another connection perhaps.
    package func begin() { state.withLock { $0.isStopped = false } }

    /// Waits until the subscription of a reading has ended; it is stopped with the others, at once where they are stopped already.
    package func stopping(_ reading: CommandReading) async {
        let isWanted = state.withLock { state in
            state.readings.append(reading)
            return !state.isStopped && !state.isDraining
        }
        if !isWanted { reading.stop() }
        await reading.untilClosed()
        state.withLock { $0.readings.removeAll { $0 === reading } }
    }

    /// When it is known anew whose the queues are.
    package func review() {
        for reading in state.withLock({ $0.readings }) { reading.review() }
    }

    /// Reads nothing more until `begin`.
    package func stop() {
        let readings = state.withLock { state in
            state.isStopped = true
            return state.readings
        }
        for reading in readings { reading.stop() }
    }

    /// Reads nothing more.
    package func drain() {
        state.withLock { $0.isDraining = true }
        stop()
    }
}
