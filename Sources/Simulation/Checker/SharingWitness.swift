import Core
import Synchronization

/// Watches which process gets on with which partition (docs/correctness.md#shared-queues).
package final class SharingWitness: Sendable {
    private struct State {
        /// By queue: who has read the last command that was acknowledged, and when it was read: it may have waited since.
        var last: [String: (process: Int, at: Duration)] = [:]
        var lastChange = Duration.zero
    }

    private let time: VirtualTime
    private let state = Mutex(State())

    /// Since the last change for so long, every command goes to the owner of its partition: a member is missed, the others hear of it, who
    /// has kept a partition that nobody took tries again.
    static let settling = Member.timeout * 3

    init(time: VirtualTime) {
        self.time = time
    }

    /// A process has come or gone or has subscribed anew, a clock was set, or there were faults up to now.
    func noteChange() {
        let now = time.uptime()
        state.withLock { $0.lastChange = now }
    }

    var now: Duration { time.uptime() }

    func noteAcknowledgement(_ queue: String, by process: Int, readAt: Duration) {
        state.withLock { state in
            if let last = state.last[queue], last.at > readAt { return }
            state.last[queue] = (process, readAt)
        }
    }

    /// - Parameter members: all that are there.
    /// - Returns: which partitions somebody else has got on with last, in words.
    func strangers(among members: [Member], partitions: Int, names: BrokerNames) -> [String] {
        let shares = PartitionShares(members: members.map(\.id), partitions: partitions)
        let state = state.withLock { $0 }
        return (0..<partitions).compactMap { partition in
            guard let last = state.last[names.commandsQueue(partition)], last.at > state.lastChange + Self.settling,
                let owner = shares.owner(of: partition), owner != SimulatedProcess.member(last.process)
            else { return nil }
            return "partition \(partition) is \(owner)'s, and process \(last.process) reads it"
        }
    }
}
