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

    /// Of the whole statement: of its first node, and of each of its `WITH` parts, whose cost the first node does not have where
    /// nothing reads from it. What is read from counts twice.
    var pages: Int {
        var isDue = true
        var sum = 0
        for line in text.split(separator: "\n") {
            let words = line.split(separator: " ")
            // What it reads of the catalog depends on what others have done.
            if words.first == "Planning:" { break }
            if words.first == "CTE" { isDue = true }
            guard isDue, words.starts(with: ["Buffers:", "shared"]) else { continue }
            isDue = false
            for word in words where word.hasPrefix("hit=") || word.hasPrefix("read=") {
                sum += Int(word.drop { $0 != "=" }.dropFirst()) ?? 0
            }
        }
        return sum
    }
}
