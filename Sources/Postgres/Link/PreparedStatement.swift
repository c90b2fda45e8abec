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
