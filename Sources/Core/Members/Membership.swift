import Synchronization

/// What this processor knows of the others that share the command queues, and which partitions are whose.
///
/// Only who reads a queue first depends on it, never what is right: whatever two members believe, a queue has one active consumer, and a
/// change of readers keeps its order (docs/correctness.md#shared-queues).
package final class Membership: Sendable {
    private struct State {
        var members: [Member] = []
        var shares: PartitionShares
        /// The uptime at which the members were read.
        var readAt: Duration?
        var subscribed: Set<Int> = []
        /// When a partition was last left to its owner.
        var leftAt: [Int: Duration] = [:]
        var hasLeft = false
    }

    package let id: String
    private let version: String
    private let partitions: Int
    private let store: any MemberStore
    private let time: any TimeSource
    private let observer: any ProcessorObserver
    private let signal = WakeUpSignal()
    private let state: Mutex<State>

    /// - Parameters:
    ///   - id: of this start of this processor; no other ever has it.
    ///   - version: for the people who look at the members.
    ///   - partitions: how many there are.
    package init(
        id: String,
        version: String,
        partitions: Int,
        store: any MemberStore,
        time: any TimeSource,
        observer: any ProcessorObserver
    ) {
        self.id = id
        self.version = version
        self.partitions = partitions
        self.store = store
        self.time = time
        self.observer = observer
        state = Mutex(State(shares: PartitionShares(members: [], partitions: partitions)))
    }

    /// Gives signs of life until the task is cancelled or the processor leaves.
    ///
    /// - Parameter onRenewal: called after each, when it is known who else is there.
    package func run(onRenewal: @Sendable () -> Void) async {
        while !Task.isCancelled, !state.withLock({ $0.hasLeft }) {
            await renew()
            onRenewal()
            guard (try? await signal.wait(atMost: Member.heartbeat, time)) != nil else { return }
        }
    }

    /// Where the store does not answer, everything stays as it is.
    private func renew() async {
        let subscribed = state.withLock { $0.subscribed }
        let now = time.uptime()
        do throws(StoreError) {
            let members = try await store.renewMember(
                id,
                version: version,
                subscribed: subscribed,
                timeout: Member.timeout
            )
            let shares = PartitionShares(members: members.map(\.id), partitions: partitions)
            let isChanged = state.withLock { state in
                let isChanged = Set(state.members.map(\.id)) != Set(members.map(\.id))
                (state.members, state.shares, state.readAt) = (members, shares, now)
                return isChanged
            }
            if isChanged {
                observer.observe(.membersChanged(members.count, owned: shares.partitions(of: id)))
            }
        } catch {
            // It is tried again with the next sign of life; that the store is away is told by who needs it.
        }
        // A sign that was on its way when it left must not bring it back.
        if state.withLock({ $0.hasLeft }) { await signOff() }
    }

    /// Leaves the queues to the others: they need not wait until it is missed.
    package func leave() async {
        state.withLock { $0.hasLeft = true }
        signal.raise()
        await signOff()
    }

    private func signOff() async {
        // Where that fails it is missed in time.
        try? await store.removeMember(id)
    }

    /// Tells the others, so that they leave it what is its own.
    package func note(subscribed partition: Int, _ isSubscribed: Bool) {
        let isChanged = state.withLock { state in
            isSubscribed
                ? state.subscribed.insert(partition).inserted : state.subscribed.remove(partition) != nil
        }
        if isChanged { signal.raise() }
    }

    // MARK: Whose

    /// Whether a partition that this one reads is to be left to another member, which owns it and is subscribed.
    ///
    /// Where that one does not take it, it comes back here, and is kept for a while: a member may be dead and not missed yet.
    func isToBeLeft(_ partition: Int) -> Bool {
        state.withLock { state in
            guard let owner = state.shares.owner(of: partition), owner != id, let readAt = state.readAt,
                state.members.contains(where: { $0.id == owner && $0.subscribed.contains(partition) })
            else { return false }
            let now = time.uptime()
            // While the store is away everybody keeps what they have.
            guard now - readAt < Member.timeout, !state.hasLeft else { return false }
            if let left = state.leftAt[partition], now - left < Member.timeout { return false }
            state.leftAt[partition] = now
            return true
        }
    }

    /// Whether another member is subscribed to it, and would read on.
    func isAwaited(_ partition: Int) -> Bool {
        state.withLock { state in
            state.members.contains { $0.id != id && $0.subscribed.contains(partition) }
        }
    }

    /// The partitions that are this one's.
    package var owned: [Int] { state.withLock { $0.shares.partitions(of: id) } }

    /// How many members there were when they were last read.
    package var count: Int { state.withLock { $0.members.count } }
}

/// A partition, and whose it is.
package struct PartitionShare: Sendable {
    package let membership: Membership
    package let partition: Int

    package init(_ membership: Membership, partition: Int) {
        self.membership = membership
        self.partition = partition
    }

    var isToBeLeft: Bool { membership.isToBeLeft(partition) }
    var isAwaited: Bool { membership.isAwaited(partition) }
}
