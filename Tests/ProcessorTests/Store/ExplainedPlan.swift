import Postgres

/// How the server has run a statement, and what that took.
struct ExplainedPlan: Sendable {
    let text: String

    /// - Parameter statement: with its parameters in place: `EXPLAIN` takes none in this form.
    init(of statement: String, on pool: PostgresPool) async throws {
        let rows = try await pool.transaction { connection throws(PostgresError) in
            try connection.execute("EXPLAIN (ANALYZE, BUFFERS, COSTS OFF, TIMING OFF, SUMMARY OFF) \(statement)")
        }
        var lines: [String] = []
        for row in rows { lines.append(try row.text(0)) }
        text = lines.joined(separator: "\n")
    }

    /// Of the whole statement: its first line of buffers.
    var pages: Int {
        guard let line = text.split(separator: "\n").first(where: { $0.contains("Buffers: shared") }) else { return 0 }
        return line.split(separator: " ").compactMap { part in
            part.hasPrefix("hit=") || part.hasPrefix("read=") ? Int(part.drop { $0 != "=" }.dropFirst()) : nil
        }.reduce(0, +)
    }
}
