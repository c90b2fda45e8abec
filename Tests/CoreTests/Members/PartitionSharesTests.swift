import Core
import Testing

@Suite("The shares of the partitions")
struct PartitionSharesTests {
    private static func members(_ numbers: Range<Int>) -> [String] { numbers.map { "host-\($0)-x\($0 * 7_919)" } }

    @Test("are even, and every partition has an owner", arguments: [1, 2, 3, 4, 5, 7, 8, 9, 20])
    func even(count: Int) {
        for start in 0..<20 {
            let members = Self.members(start..<start + count)
            let shares = PartitionShares(members: members, partitions: 8)
            let sizes = members.map { shares.partitions(of: $0).count }
            #expect(sizes.reduce(0, +) == 8)
            #expect(sizes.allSatisfy { (8 / count...(8 + count - 1) / count).contains($0) })
            #expect((0..<8).allSatisfy { shares.owner(of: $0) != nil })
        }
    }

    @Test("are the same in whatever order the members are seen")
    func order() {
        let members = Self.members(0..<6)
        let shares = PartitionShares(members: members, partitions: 64)
        #expect(PartitionShares(members: members.reversed(), partitions: 64) == shares)
        #expect(PartitionShares(members: members + members, partitions: 64) == shares)
    }

    @Test("move little when a member comes or goes")
    func moves() {
        var moved = 0
        for start in 0..<50 {
            let before = PartitionShares(members: Self.members(start..<start + 4), partitions: 60)
            let after = PartitionShares(members: Self.members(start..<start + 5), partitions: 60)
            moved += (0..<60).count { before.owner(of: $0) != after.owner(of: $0) }
        }
        // A fifth at least. Spread anew, four fifths would move.
        #expect(moved >= 50 * 12)
        #expect(moved < 50 * 30)
    }

    @Test("of nobody are nobody's, and there is nothing beyond the partitions")
    func nobody() {
        let shares = PartitionShares(members: [], partitions: 8)
        #expect((0..<8).allSatisfy { shares.owner(of: $0) == nil })
        #expect(PartitionShares(members: ["a"], partitions: 8).owner(of: 8) == nil)
        #expect(PartitionShares(members: ["a"], partitions: 8).owner(of: -1) == nil)
    }
}
