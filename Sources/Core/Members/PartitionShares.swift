/// Which member each partition belongs to: a pure function of who is there, so that members that see the same others agree without a word.
///
/// Rendezvous hashing: each pair of a partition and a member has a hash, and the highest ones win. So when a member comes or goes few
/// partitions move. With as few partitions as there are, chance alone would give one member twice as many as another; so nobody gets more
/// than an even share.
package struct PartitionShares: Hashable, Sendable {
    private let owners: [String?]

    package init(members: some Collection<String>, partitions: Int) {
        var owners = [String?](repeating: nil, count: partitions)
        let members = Set(members)
        guard !members.isEmpty else {
            self.owners = owners
            return
        }
        let share = partitions / members.count
        var (extras, counts) = (partitions % members.count, [String: Int]())
        let pairs = members.flatMap { member in
            (0..<partitions).map { (hash: Self.hash($0, member), partition: $0, member: member) }
        }
        // Equal hashes are decided, too, so that all decide alike.
        for pair in pairs.sorted(by: { ($0.hash, $0.member, $0.partition) > ($1.hash, $1.member, $1.partition) })
        where owners[pair.partition] == nil {
            let count = counts[pair.member, default: 0]
            if count >= share {
                guard count == share, extras > 0 else { continue }
                extras -= 1
            }
            counts[pair.member] = count + 1
            owners[pair.partition] = pair.member
        }
        self.owners = owners
    }

    /// `nil` where nobody is there, or the partition is none.
    package func owner(of partition: Int) -> String? { owners.indices.contains(partition) ? owners[partition] : nil }

    package func partitions(of member: String) -> [Int] { owners.indices.filter { owners[$0] == member } }

    /// FNV-1a, mixed once more, because ids that differ in their last digits only must be far apart.
    private static func hash(_ partition: Int, _ member: String) -> UInt64 {
        var hash: UInt64 = 0xcbf2_9ce4_8422_2325
        for byte in "\(partition)/\(member)".utf8 { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01b3 }
        hash = (hash ^ (hash >> 33)) &* 0xff51_afd7_ed55_8ccd
        hash = (hash ^ (hash >> 33)) &* 0xc4ce_b9fe_1a85_ec53
        return hash ^ (hash >> 33)
    }
}

/// A processor among those that share the command queues.
package struct Member: Hashable, Sendable {
    /// Host, process and start: another one after each start.
    package let id: String
    package let version: String
    package let startedAt: Timestamp
    /// By the store's clock.
    package let lastSeen: Timestamp
    /// The partitions that it is subscribed to.
    package let subscribed: Set<Int>

    package init(id: String, version: String, startedAt: Timestamp, lastSeen: Timestamp, subscribed: Set<Int>) {
        self.id = id
        self.version = version
        self.startedAt = startedAt
        self.lastSeen = lastSeen
        self.subscribed = subscribed
    }

    /// Between two signs of life.
    package static let heartbeat = Duration.seconds(2)
    /// Without a sign for so long it is gone.
    package static let timeout = Duration.seconds(10)
}
