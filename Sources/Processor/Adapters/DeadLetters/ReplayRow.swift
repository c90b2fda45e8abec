import Core
import Postgres

/// How a replay is read from its row.
enum ReplayRow {
    private static let names = [
        "id", "requested_by", "filter::text", "rate", "stop_at_failures", "created_at", "state", "selected", "replayed",
        "skipped", "refused", "failed", "fencing_token", "finished_at", "stopped_by", "reason",
    ]

    /// In the order in which `run(from:)` reads them.
    static let columns = names.joined(separator: ", ")

    static func columns(of table: String) -> String { names.map { "\(table).\($0)" }.joined(separator: ", ") }

    static func key(_ id: ReplayID) -> PostgresValue { .uuid(PostgresUUID(id.value)) }

    static func run(from row: PostgresRow) throws(PostgresError) -> ReplayRun {
        var counts = ReplayRun.Counts(selected: Int(try row.int64(7)))
        counts.replayed = Int(try row.int64(8))
        counts.skipped = Int(try row.int64(9))
        counts.refused = Int(try row.int64(10))
        counts.failed = Int(try row.int64(11))
        return ReplayRun(
            id: ReplayID(UniqueID(try row.uuid(0))),
            order: ReplayOrder(
                requestedBy: try row.text(1),
                filter: try row.isNull(2)
                    ? nil : try row.parsed(2) { try? JSONParser.parse(Array($0.utf8)) },
                pace: ReplayPace(
                    perSecond: try row.optionalInt32(3).map(Int.init),
                    failureShare: try row.double(4)
                )
            ),
            createdAt: Timestamp(microseconds: try row.timestamp(5)),
            state: try row.parsed(6, ReplayRun.State.init),
            counts: counts,
            fencingToken: try row.int64(12),
            finishedAt: try row.optionalTimestamp(13).map(Timestamp.init(microseconds:)),
            stoppedBy: try row.optionalText(14),
            reason: try row.optionalText(15)
        )
    }
}
