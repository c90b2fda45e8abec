import Core

/// Runs of sweeps for people to read.
enum SweepText {
    static func summary(of report: SweepReport, _ job: SweepJob, isDryRun: Bool) -> String {
        if isDryRun {
            let attention = report.needsAttention > 0 ? ", \(report.needsAttention) of them for manual review" : ""
            return "\(job.rawValue): \(report.examined) due\(attention); nothing was done"
        }
        return "\(job.rawValue): \(report.examined) examined, \(report.resolved) resolved, "
            + "\(report.needsAttention) need attention, \(report.waiting) waiting"
    }

    static func table(of runs: [SweepRun]) -> String {
        guard !runs.isEmpty else { return "no sweep has run yet" }
        let header = ["JOB", "SLOT", "STARTED", "FINISHED", "EXAMINED", "RESOLVED", "ATTENTION", "WAITING"]
        let rows = runs.map { run in
            [
                run.job.rawValue, run.slot?.description ?? "by hand", run.startedAt.description,
                run.finishedAt?.description ?? "-", "\(run.report.examined)", "\(run.report.resolved)",
                "\(run.report.needsAttention)", "\(run.report.waiting)",
            ]
        }
        return TextTable.lines([header] + rows).joined(separator: "\n")
    }
}
