/// The prepared statements of one connection, by their text; the one not used for the longest goes first.
struct StatementCache {
    private let capacity: Int
    private var statements: [String: PreparedStatement] = [:]
    private var uses = 0
    private var names = 0

    /// Names that the server still keeps and nobody will use again.
    private(set) var discarded: [String] = []

    init(capacity: Int) {
        self.capacity = capacity
    }

    mutating func find(_ sql: String, _ parameters: [PostgresValue]) -> PreparedStatement? {
        guard let statement = statements[sql], statement.takes(parameters) else { return nil }
        uses += 1
        statement.lastUse = uses
        return statement
    }

    /// Makes one for a text that `find` did not find, in the place of one with other types or of the least used.
    mutating func insert(_ sql: String, _ parameters: [PostgresValue]) -> PreparedStatement {
        var types = parameters.map(\.type)
        if let previous = statements[sql] {
            // Where there is a null now, what was known before still holds.
            if previous.types.count == types.count {
                types = zip(types, previous.types).map { $0 == 0 ? $1 : $0 }
            }
            discard(previous)
        } else if statements.count >= capacity, let oldest = statements.values.min(by: { $0.lastUse < $1.lastUse }) {
            discard(oldest)
        }
        names += 1
        uses += 1
        let statement = PreparedStatement(name: "s\(names)", sql: sql, types: types)
        statement.lastUse = uses
        statements[sql] = statement
        return statement
    }

    /// The server keeps it, but it is not to be used again.
    mutating func discard(_ statement: PreparedStatement) {
        if forget(statement) { discarded.append(statement.name) }
    }

    /// The server does not keep it: its preparation failed.
    ///
    /// - Returns: false when it had been forgotten before.
    @discardableResult
    mutating func forget(_ statement: PreparedStatement) -> Bool {
        guard statements[statement.sql] === statement else { return false }
        statements[statement.sql] = nil
        return true
    }

    mutating func takeDiscarded() -> [String] {
        defer { discarded.removeAll() }
        return discarded
    }

    /// Its DEALLOCATE was not executed: to be tried again.
    mutating func returnDiscarded(_ name: String) {
        discarded.append(name)
    }
}

/// A statement that the server keeps under a name for one connection.
final class PreparedStatement {
    let name: String
    let sql: String
    /// One for each parameter; 0 where the server chose.
    let types: [UInt32]
    /// The columns of its last result: they are the same each time, or the server refuses (0A000).
    var shape: ResultShape?
    /// When it was used last, as a count of uses.
    var lastUse = 0

    init(name: String, sql: String, types: [UInt32]) {
        self.name = name
        self.sql = sql
        self.types = types
    }

    /// Whether these parameters are of the types it was prepared with. A null is of any.
    func takes(_ parameters: [PostgresValue]) -> Bool {
        guard parameters.count == types.count else { return false }
        for (index, parameter) in parameters.enumerated() {
            let type = parameter.type
            guard type == types[index] || type == 0 else { return false }
        }
        return true
    }
}
