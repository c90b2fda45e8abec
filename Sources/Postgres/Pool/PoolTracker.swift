/// Who has which connection and who waits for one. Pure bookkeeping; the pool holds it behind a lock and acts on what
/// it returns outside of it.
struct PoolTracker {
    /// A borrower in the queue.
    struct Waiter {
        let id: UInt64
        let deadline: ContinuousClock.Instant
        let continuation: CheckedContinuation<Result<Lease, PostgresError>, Never>
    }

    /// A connection on loan. `slot` tells a connection from its successors.
    struct Lease: Sendable {
        let slot: UInt64
        let connection: PostgresConnection
    }

    private(set) var idle: [Lease] = []
    private var waiters: [UInt64: Waiter] = [:]
    /// Ids of waiters in the order of their arrival; those that gave up stay until they are passed.
    private var queue: [UInt64] = []
    private var queueHead = 0
    private var lastID: UInt64 = 0
    /// The open connections, with the time of their opening.
    private var open: [UInt64: ContinuousClock.Instant] = [:]
    private var drainers: [CheckedContinuation<Void, Never>] = []
    private(set) var lent = 0
    private(set) var lastFailure: PostgresError?
    private(set) var isClosed = false

    var state: PostgresPoolState {
        if isClosed { return .closed }
        guard open.isEmpty else { return .up }
        return lastFailure.map { .down($0) } ?? .starting
    }

    var waiting: Int { waiters.count }
    var nextDeadline: ContinuousClock.Instant? {
        mutating get { head?.deadline }
    }

    mutating func makeID() -> UInt64 {
        lastID += 1
        return lastID
    }

    /// A free connection, unless others were here first.
    mutating func borrow() -> Lease? {
        guard waiters.isEmpty, let lease = idle.popLast() else { return nil }
        lent += 1
        return lease
    }

    mutating func enqueue(_ waiter: Waiter) {
        waiters[waiter.id] = waiter
        queue.append(waiter.id)
    }

    mutating func remove(waiter id: UInt64) -> Waiter? {
        waiters.removeValue(forKey: id)
    }

    mutating func takeExpired(at now: ContinuousClock.Instant) -> [Waiter] {
        var expired: [Waiter] = []
        while let waiter = head, waiter.deadline <= now {
            expired.append(waiter)
            waiters[waiter.id] = nil
        }
        return expired
    }

    /// A connection that has just been opened; it goes to the first waiter, or is kept.
    ///
    /// - Returns: false when it is not wanted any more, or lost already. Whether it is usable is asked under the lock:
    ///   a loss that comes later finds it in the books.
    mutating func add(_ lease: Lease, at now: ContinuousClock.Instant) -> (isAdded: Bool, waiter: Waiter?) {
        guard !isClosed, lease.connection.isUsable else { return (false, nil) }
        open[lease.slot] = now
        lastFailure = nil
        return (true, offer(lease))
    }

    /// A connection that comes back.
    mutating func giveBack(_ lease: Lease) -> Waiter? {
        lent -= 1
        guard !isClosed, lease.connection.isUsable else { return nil }
        return offer(lease)
    }

    /// - Returns: how long it had been open; `nil` when it is not in the books.
    mutating func lose(slot: UInt64, _ failure: PostgresError, at now: ContinuousClock.Instant) -> Duration? {
        idle.removeAll { $0.slot == slot }
        guard let since = open.removeValue(forKey: slot) else { return nil }
        lastFailure = failure
        return since.duration(to: now)
    }

    mutating func noteFailure(_ failure: PostgresError) {
        lastFailure = failure
    }

    /// Returns the waiters to be told and the connections to be closed; the lent ones are closed as they come back.
    mutating func close() -> (waiters: [Waiter], idle: [Lease]) {
        isClosed = true
        defer {
            waiters = [:]
            queue = []
            queueHead = 0
            idle = []
        }
        return (Array(waiters.values), idle)
    }

    /// Remembers who is to be told when the last connection has come back.
    mutating func awaitDrain(_ drainer: CheckedContinuation<Void, Never>) {
        drainers.append(drainer)
    }

    mutating func takeDrainers() -> [CheckedContinuation<Void, Never>] {
        guard isClosed, lent == 0 else { return [] }
        defer { drainers = [] }
        return drainers
    }

    private mutating func offer(_ lease: Lease) -> Waiter? {
        guard let waiter = head else {
            idle.append(lease)
            return nil
        }
        waiters[waiter.id] = nil
        lent += 1
        return waiter
    }

    /// The first in the queue that has not given up.
    private var head: Waiter? {
        mutating get {
            // Those that have been served or have given up, once they are the larger part.
            if queueHead > 64, queueHead > queue.count / 2 {
                queue.removeFirst(queueHead)
                queueHead = 0
            }
            while queueHead < queue.count {
                if let waiter = waiters[queue[queueHead]] { return waiter }
                queueHead += 1
            }
            queue.removeAll(keepingCapacity: true)
            queueHead = 0
            return nil
        }
    }
}
