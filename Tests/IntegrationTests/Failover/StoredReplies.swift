import Core
import TestSupport

/// What the database knows of the commands of a client at a moment.
struct StoredReplies: Sendable {
    /// The reply of each operation that is completed, by idempotency key.
    let replies: [String: String]
    /// The keys of all operations.
    let keys: Set<String>

    init(_ world: World) async throws {
        let rows = try await world.database.rows(
            "SELECT idempotency_key, convert_from(reply, 'UTF8') AS reply FROM operations"
        )
        let pairs = rows.map { ($0["idempotency_key"]?.string ?? "", $0["reply"]?.string) }
        keys = Set(pairs.map(\.0))
        replies = Dictionary(pairs.compactMap { key, reply in reply.map { (key, $0) } }) { first, _ in first }
    }

    /// Commands of which it has no row.
    func forgotten(among commands: [TestCommand]) -> [TestCommand] {
        commands.filter { !keys.contains($0.key) }
    }
}
