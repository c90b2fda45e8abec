import Synchronization

/// Lets the commands of one payment through one after the other, in the order in which they arrived, and those of different
/// payments side by side.
///
/// A convenience, not a lock: across processes the row lock, the lease and the fencing token decide.
package final class PaymentQueues: Sendable {
    private struct Queue {
        /// In order; the first one is inside.
        var places: [UInt64] = []
        var waiters: [UInt64: CheckedContinuation<Bool, Never>] = [:]
        var lastCompleted: Completed?
        /// One has left it undecided, and its message comes again: nobody behind it may go before it.
        var isAbandoned = false
    }

    /// What the last command of a payment completed: an identical one behind it gets the same answer without asking
    /// anybody (docs/correctness.md#same-key-in-progress).
    package struct Completed: Sendable {
        package let command: Command
        package let operation: Operation

        package init(command: Command, operation: Operation) {
            self.command = command
            self.operation = operation
        }
    }

    private struct State {
        var queues: [PaymentID: Queue] = [:]
        var lastNumber: UInt64 = 0
    }

    private let state = Mutex(State())

    package init() {}

    /// A place in the queue of a payment. It must be left, whether it was entered or not.
    package struct Place: Sendable {
        fileprivate let payment: PaymentID
        fileprivate let number: UInt64
    }

    /// Takes the next place. Synchronous, so that the order is the caller's.
    package func place(for payment: PaymentID) -> Place {
        state.withLock { state in
            state.lastNumber += 1
            state.queues[payment, default: Queue()].places.append(state.lastNumber)
            return Place(payment: payment, number: state.lastNumber)
        }
    }

    /// Waits until all before it have left, and tells what the last of them completed.
    ///
    /// - Throws: also where one before it has left undecided (`abandon`): this one must come again, too.
    package func enter(_ place: Place) async throws(CancellationError) -> Completed? {
        let (isFirst, last) = state.withLock { state in
            let queue = state.queues[place.payment]
            return (queue?.places.first == place.number && queue?.isAbandoned == false, queue?.lastCompleted)
        }
        // Most payments have one command at a time, which waits for nobody.
        if isFirst, !Task.isCancelled { return last }
        let mayEnter = await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let answer: Bool? = state.withLock { state in
                    if Task.isCancelled || state.queues[place.payment]?.isAbandoned != false { return false }
                    if state.queues[place.payment]?.places.first == place.number { return true }
                    state.queues[place.payment]?.waiters[place.number] = continuation
                    return nil
                }
                if let answer { continuation.resume(returning: answer) }
            }
        } onCancel: {
            state.withLock { $0.queues[place.payment]?.waiters.removeValue(forKey: place.number) }?
                .resume(returning: false)
        }
        guard mayEnter else { throw CancellationError() }
        return state.withLock { $0.queues[place.payment]?.lastCompleted }
    }

    /// Makes room for the next.
    ///
    /// - Parameters:
    ///   - place: the one that leaves.
    ///   - completed: what the command completed; `nil` keeps what was known before.
    package func leave(_ place: Place, completed: Completed? = nil) {
        let next: CheckedContinuation<Bool, Never>? = state.withLock { state in
            guard var queue = state.queues[place.payment] else { return nil }
            queue.places.removeAll { $0 == place.number }
            queue.lastCompleted = completed ?? queue.lastCompleted
            let next = queue.places.first.flatMap { queue.waiters.removeValue(forKey: $0) }
            state.queues[place.payment] = queue.places.isEmpty ? nil : queue
            return next
        }
        next?.resume(returning: true)
    }

    /// Leaves undecided: its message comes again, and so must those behind it, or they would overtake it.
    package func abandon(_ place: Place) {
        let waiters = state.withLock { state in
            guard var queue = state.queues[place.payment] else { return [] as [CheckedContinuation<Bool, Never>] }
            queue.places.removeAll { $0 == place.number }
            queue.isAbandoned = true
            let waiters = queue.waiters.sorted { $0.key < $1.key }.map(\.value)
            queue.waiters = [:]
            state.queues[place.payment] = queue.places.isEmpty ? nil : queue
            return waiters
        }
        for waiter in waiters { waiter.resume(returning: false) }
    }
}
