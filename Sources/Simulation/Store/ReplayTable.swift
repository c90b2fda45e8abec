import Core

/// Replays and their lists.
struct ReplayTable {
    struct Item {
        let deadLetter: DeadLetterID
        var result: ReplayResult?
        var reason: String?
    }

    struct Row {
        var run: ReplayRun
        var items: [Item]
        var leaseUntil: Timestamp?
        var isToStop = false

        /// Whether a process is at it.
        func isTaken(at now: Timestamp) -> Bool { leaseUntil.map { $0 > now } ?? false }
    }

    private(set) var rows: [ReplayID: Row] = [:]

    mutating func put(_ row: Row) { rows[row.run.id] = row }

    func sorted() -> [ReplayRun] {
        rows.values.map(\.run).sorted { ($0.createdAt, $0.id.value) < ($1.createdAt, $1.id.value) }
    }
}
