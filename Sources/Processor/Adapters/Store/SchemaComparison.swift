import Crypto
import Migrations

/// A migration as the database remembers it.
struct RecordedMigration: Hashable, Sendable {
    let name: String
    let checksum: [UInt8]
    /// The number of the newest migration that a processor must know, at least, to work with it; `nil`: this one.
    let compatibleFrom: Int?
}

/// What the migrations that this version knows and those that the database has amount to.
struct SchemaComparison: Sendable {
    /// Still to be applied, in order.
    let pending: [Migration]
    /// Why this version cannot work with the schema, whatever is applied.
    let problem: MigrationError?

    init(known: [Migration], recorded: [RecordedMigration]) {
        let byName = Dictionary(recorded.map { ($0.name, $0) }) { first, _ in first }
        pending = known.filter { byName[$0.name] == nil }
        let newest = known.map(\.number).max() ?? 0
        let names = Set(known.map(\.name))
        let foreign = recorded.filter { !names.contains($0.name) && ($0.compatibleFrom ?? .max) > newest }
        if let edited = known.first(where: { byName[$0.name].map(\.checksum) ?? $0.checksum != $0.checksum }) {
            problem = .edited(edited.name)
        } else if let newer = foreign.map(\.name).max() {
            problem = .newer(newer, known: known.last?.name ?? "none")
        } else {
            problem = nil
        }
    }
}

extension Migration {
    var checksum: [UInt8] { Array(SHA256.hash(data: Array(sql.utf8))) }
}
