import Core

/// Replays as an operator reads them.
enum ReplayText {
    static func table(of runs: [ReplayRun]) -> String {
        guard !runs.isEmpty else { return "no replays" }
        let header = [
            "REPLAY", "STATE", "SELECTED", "REPLAYED", "SKIPPED", "FAILED", "BY", "CREATED", "FINISHED",
        ]
        let rows = runs.map { run in
            [run.id.description, run.state.rawValue]
                + [run.counts.selected, run.counts.replayed, run.counts.skipped, run.counts.failed].map(String.init)
                + [run.order.requestedBy, run.createdAt.description, run.finishedAt?.description ?? "-"]
        }
        return TextTable.lines([header] + rows).joined(separator: "\n")
    }

    static func details(of view: ReplayView) -> String {
        let (run, counts) = (view.run, view.run.counts)
        let facts: [(String, String?)] = [
            ("replay", run.id.description),
            ("state", run.state.rawValue),
            ("reason", run.reason),
            ("stopped by", run.stoppedBy),
            ("requested by", run.order.requestedBy),
            ("filter", run.order.filter.map { String(decoding: $0.encoded, as: UTF8.self) } ?? "by id"),
            ("rate", run.order.pace.perSecond.map { "\($0) a second" }),
            ("stop at failures", "\(run.order.pace.failureShare)"),
            ("selected", "\(counts.selected)"), ("replayed", "\(counts.replayed)"), ("skipped", "\(counts.skipped)"),
            ("failed", "\(counts.failed)"),
            ("created", run.createdAt.description),
            ("finished", run.finishedAt?.description),
        ]
        let problems = view.problems.map { [$0.deadLetter.description, $0.result.rawValue, $0.reason] }
        return [
            TextTable.lines(facts.compactMap { name, value in value.map { [name, $0] } }).joined(separator: "\n"),
            TextTable.section("Not replayed", nil, problems),
        ].joined(separator: "\n\n")
    }
}
