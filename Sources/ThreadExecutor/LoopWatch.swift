import Glibc

/// What a loop's thread watches between its jobs: the turns of each executor, with what each waits for. Used by that thread only.
struct LoopWatch: ~Copyable {
    private struct Entry {
        let turns: ExecutorTurns
        var wait = TurnWait.forever
        var deadline: ContinuousClock.Instant?
        var isReady = false
    }

    /// Of the list that it follows.
    private(set) var version = -1
    private var entries: [Entry] = []
    /// The first one wakes the thread; the others are the entries', in their order.
    private var descriptors: [pollfd]

    init(wakeDescriptor: Int32) {
        descriptors = [pollfd(fd: wakeDescriptor, events: Int16(POLLIN), revents: 0)]
    }

    mutating func follow(_ turns: [ExecutorTurns], _ version: Int) {
        self.version = version
        let known = Dictionary(entries.map { (ObjectIdentifier($0.turns), $0) }) { first, _ in first }
        entries = turns.map { known[ObjectIdentifier($0)] ?? Entry(turns: $0) }
        descriptors.removeLast(descriptors.count - 1)
        for entry in entries {
            descriptors.append(pollfd(fd: entry.wait.descriptor, events: entry.wait.events, revents: 0))
        }
    }

    /// Whether a turn has been asked for.
    var hasDemand: Bool { entries.contains { $0.turns.isDue } }

    /// Those that are due.
    mutating func takeTurns() {
        for index in entries.indices {
            let entry = entries[index]
            let isLate = entry.deadline.map { $0 <= .now } ?? false
            let isDue = entry.isReady || isLate
            guard entry.turns.take() || isDue else { continue }
            entries[index].isReady = false
            let wait = entry.turns.current?(isDue) ?? .forever
            entries[index].wait = wait
            entries[index].deadline = wait.milliseconds < 0 ? nil : .now + .milliseconds(Int(wait.milliseconds))
            descriptors[index + 1] = pollfd(fd: wait.descriptor, events: wait.events, revents: 0)
        }
    }

    /// Looks which descriptors are ready.
    ///
    /// - Parameter mayBlock: until one is, or the first deadline has passed.
    /// - Returns: whether the thread was woken.
    mutating func wait(mayBlock: Bool) -> Bool {
        let count = poll(&descriptors, nfds_t(descriptors.count), mayBlock ? milliseconds : 0)
        guard count > 0 else { return false }
        for index in entries.indices where descriptors[index + 1].revents != 0 { entries[index].isReady = true }
        return descriptors[0].revents != 0
    }

    private var milliseconds: Int32 {
        guard let deadline = entries.compactMap(\.deadline).min() else { return -1 }
        let left = ContinuousClock.now.duration(to: deadline)
        guard left > .zero else { return 0 }
        // Rounded up, lest the last millisecond be spent spinning.
        return Int32(clamping: Int(left / .milliseconds(1)) + 1)
    }
}
