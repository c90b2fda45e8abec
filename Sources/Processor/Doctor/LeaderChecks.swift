import Core

/// Whether the loss of one node of a cluster stops nothing and moves little: each queue is on several nodes, and they share the
/// leaders (docs/operations.md#a-cluster-of-brokers).
struct LeaderChecks: Sendable {
    let queues: Set<String>
    /// How many nodes `amqp.url` names.
    let nodesNamed: Int

    /// - Parameter placements: of all queues of the broker, as its management API tells.
    func findings(_ placements: [QueuePlacement]) -> [Finding] {
        let ours = placements.filter { queues.contains($0.queue) }
        let nodes = Set(ours.flatMap(\.members)).count
        guard !ours.isEmpty, max(nodes, nodesNamed) > 1 else { return [] }
        return [members(ours, of: max(nodes, nodesNamed)), leaders(ours, of: nodes)]
    }

    private func members(_ placements: [QueuePlacement], of nodes: Int) -> Finding {
        let wanted = min(nodes, Self.members)
        let short = placements.filter { $0.members.count < wanted }.map(\.queue).sorted()
        guard !short.isEmpty else { return Finding("queue members", .ok, "each queue is on \(wanted) nodes or more") }
        let list = short.joined(separator: ", ")
        return Finding(
            "queue members",
            .advice,
            "on fewer than \(wanted) nodes: \(list); run `rabbitmq-queues grow NODE all` for each node that lacks them"
        )
    }

    private func leaders(_ placements: [QueuePlacement], of nodes: Int) -> Finding {
        let counts = Dictionary(grouping: placements.compactMap(\.leader)) { $0 }.mapValues(\.count)
        let list = counts.sorted { $0.key < $1.key }.map { "\($0.key) \($0.value)" }.joined(separator: ", ")
        guard counts.count == 1, nodes > 1, placements.count > 1 else {
            return Finding("queue leaders", counts.isEmpty ? .wrong : .ok, counts.isEmpty ? "no queue has one" : list)
        }
        return Finding(
            "queue leaders",
            .advice,
            "one node leads all queues: \(list); run `rabbitmq-queues rebalance quorum`, and set queue_leader_locator = balanced"
        )
    }

    /// Of a quorum queue, where nothing else is asked for.
    private static let members = 3
}
