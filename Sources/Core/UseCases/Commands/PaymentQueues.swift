import Synchronization

/// Lets the commands of one payment through one after the other, in the order in which they arrived, and those of different
/// payments side by side.
///
/// A convenience, not a lock: across processes the row lock, the lease and the fencing token decide.
package final class PaymentQueues: Sendable {
    private struct Queue {
        /// In order; the first one is inside.
        var places: [(number: UInt64, reading: ObjectIdentifier, isReturning: Bool)] = []
        var waiters: [UInt64: CheckedContinuation<Bool, Never>] = [:]
        var lastCompleted: Completed?
        /// One has left it undecided, and its message comes again: nobody behind it may go before it.
        var isAbandoned = false

        /// Whether that place is inside, or `nil` where it may never be.
        func admits(_ number: UInt64) -> Bool? {
            if isAbandoned { return nil }
            if places.first?.number == number { return true }
            return places.contains { $0.number == number } ? false : nil
        }

        mutating func remove(_ number: UInt64) -> Bool {
            guard let index = places.firstIndex(where: { $0.number == number }) else { return false }
            places.remove(at: index)
            return true
        }
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
    ///
    /// - Parameters:
    ///   - reading: what the command was read by.
    ///   - isReturning: whether it was begun before, and comes back to be gone on with.
    package func place(for payment: PaymentID, of reading: CommandReading, isReturning: Bool = false) -> Place {
        state.withLock { state in
            state.lastNumber += 1
            let place = (number: state.lastNumber, reading: ObjectIdentifier(reading), isReturning: isReturning)
            state.queues[payment, default: Queue()].places.append(place)
            return Place(payment: payment, number: state.lastNumber)
        }
    }

    /// Whether one behind it was begun before: whoever waits for others inside may be waiting for that one.
    func isAwaitedByReturning(_ place: Place) -> Bool {
        state.withLock { state in
            state.queues[place.payment]?.places.contains { $0.isReturning && $0.number > place.number } ?? false
        }
    }

    /// Waits until all before it have left, and tells what the last of them completed.
    ///
    /// - Throws: also where one before it has left undecided (`abandon`), or its reader has left (`withdraw`): this one must come again,
    ///   too.
    package func enter(_ place: Place) async throws(CancellationError) -> Completed? {
        let (isFirst, last) = state.withLock { state in
            let queue = state.queues[place.payment]
            return (queue?.admits(place.number) == true, queue?.lastCompleted)
        }
        // Most payments have one command at a time, which waits for nobody.
        if isFirst, !Task.isCancelled { return last }
        let mayEnter = await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let answer: Bool? = state.withLock { state in
                    guard !Task.isCancelled, let isFirst = state.queues[place.payment]?.admits(place.number) else {
                        return false
                    }
                    if isFirst { return true }
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
            guard queue.remove(place.number) else { return nil }
            queue.lastCompleted = completed ?? queue.lastCompleted
            let next = queue.places.first.flatMap { queue.waiters.removeValue(forKey: $0.number) }
            state.queues[place.payment] = queue.places.isEmpty ? nil : queue
            return next
        }
        next?.resume(returning: true)
    }

    /// Leaves undecided: its message comes again, and so must those behind it, or they would overtake it.
    package func abandon(_ place: Place) {
        let waiters = state.withLock { state in
            guard var queue = state.queues[place.payment] else { return [] as [CheckedContinuation<Bool, Never>] }
            // One that was withdrawn says nothing about the others.
            guard queue.remove(place.number) else { return [] }
            queue.isAbandoned = true
            let waiters = queue.waiters.sorted { $0.key < $1.key }.map(\.value)
            queue.waiters = [:]
            state.queues[place.payment] = queue.places.isEmpty ? nil : queue
            return waiters
        }
        for waiter in waiters { waiter.resume(returning: false) }
    }

    /// Takes away the places of a reading whose deliveries come again, but for those that are inside. What is read later lines up behind
    /// those.
    func withdraw(_ reading: CommandReading) {
        let waiters = state.withLock { state in
            var waiters: [(UInt64, CheckedContinuation<Bool, Never>)] = []
            for (payment, var queue) in state.queues {
                let withdrawn = queue.places.dropFirst().filter { $0.reading == ObjectIdentifier(reading) }
                guard !withdrawn.isEmpty else { continue }
                for place in withdrawn {
                    _ = queue.remove(place.number)
                    if let waiter = queue.waiters.removeValue(forKey: place.number) {
                        waiters.append((place.number, waiter))
                    }
                }
                state.queues[payment] = queue
            }
            return waiters.sorted { $0.0 < $1.0 }.map(\.1)
        }
        for waiter in waiters { waiter.resume(returning: false) }
    }
}
