extension PostgresRow {
    /// A text that is one of the names that the caller knows.
    ///
    /// - Throws: `decoding` where `parse` gives nothing: somebody else's version wrote it.
    package func parsed<Value>(
        _ column: some PostgresColumnReference,
        _ parse: (String) -> Value?
    ) throws(PostgresError) -> Value {
        guard let value = parse(try text(column)) else {
            throw PostgresError(
                .decoding,
                reason: "column \(column.label(in: storage.shape.names)) holds an unknown name"
            )
        }
        return value
    }
}
