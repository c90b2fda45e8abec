/// Stands in for waiting: whoever waits is noted and kept until the gate is opened.
actor Gate {
    private(set) var durations: [Duration] = []
    private var isOpen = false
    private var kept: [CheckedContinuation<Void, Never>] = []
    private var watchers: [(count: Int, continuation: CheckedContinuation<Void, Never>)] = []

    /// What the simulator calls instead of sleeping.
    func pass(_ duration: Duration) async {
        durations.append(duration)
        for watcher in watchers where watcher.count <= durations.count { watcher.continuation.resume() }
        watchers.removeAll { $0.count <= durations.count }
        guard !isOpen else { return }
        await withCheckedContinuation { kept.append($0) }
    }

    /// Returns as soon as so many waits have begun.
    func arrivals(_ count: Int) async {
        guard durations.count < count else { return }
        await withCheckedContinuation { watchers.append((count, $0)) }
    }

    /// Lets those go on who wait by now, and nobody later.
    func release() {
        kept.forEach { $0.resume() }
        kept.removeAll()
    }

    /// Lets everyone go on, now and later.
    func open() {
        isOpen = true
        release()
    }
}
