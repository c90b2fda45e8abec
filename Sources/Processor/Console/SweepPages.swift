import Core
import Hummingbird

/// The scheduled work: how it goes, what is due, and doing it now.
struct SweepPages: Sendable {
    let console: Console

    static let runs = 50

    func add(to router: Router<AdminContext>) {
        console.get("console/sweeps", on: router) { visit, _ in try await list(visit) }
        console.post("console/sweeps/:job/run", on: router) { visit, parameters in
            guard let job = parameters.get("job").flatMap(SweepJob.init(rawValue:)) else {
                throw ConsoleFailure.notFound("sweep")
            }
            return try await run(job, visit)
        }
    }

    private func list(_ visit: ConsoleVisit) async throws -> ConsoleAnswer {
        var dryRun: String?
        if let name = visit.fields["dry_run"] {
            guard let job = SweepJob(rawValue: name) else { throw ConsoleFailure.notFound("sweep") }
            // It asks the bank for its time, and makes the database count.
            guard visit.session.canAct else { throw ConsoleFailure.readOnly }
            dryRun = "Dry run of \(try await rehearse(job))."
        }
        let runs = try await console.parts.sweeps.store.runs(limit: Self.runs)
        return .page(
            ConsolePage(
                title: "Sweeps",
                section: .sweeps,
                template: "sweeps",
                content: SweepsContent(
                    runs,
                    console.parts.sweeps.periods,
                    console.work.all.filter { $0.order.back == ConsoleSection.sweeps.path },
                    visit.session,
                    dryRun: dryRun,
                    now: console.parts.time.now()
                )
            )
        )
    }

    private func rehearse(_ job: SweepJob) async throws -> String {
        do {
            let report = try await console.parts.sweeps.report(job, isDryRun: true)
            return SweepText.summary(of: report, job, isDryRun: true)
        } catch is SweepControl.NoBankClock {
            return "\(job.rawValue): \(SweepControl.NoBankClock.explanation)"
        }
    }

    private func run(_ job: SweepJob, _ visit: ConsoleVisit) async throws -> ConsoleAnswer {
        let title = "Sweep \(job.rawValue)"
        // It runs already: there is nothing to start.
        if let item = console.work.all.first(where: { $0.order.title == title && $0.state == .running }) {
            return .seeOther(item.path)
        }
        let order = ConsoleWork.Order(
            title: title,
            by: visit.session.name,
            back: ConsoleSection.sweeps.path,
            backText: "Sweeps",
            command: CommandText(["sweeps", "run", job.rawValue])
        )
        let sweeps = console.parts.sweeps
        guard let item = console.work.start(order, { await Self.work(job, sweeps, $0) }) else {
            throw ConsoleWork.isFull
        }
        return .seeOther(item.path)
    }

    private static func work(
        _ job: SweepJob,
        _ sweeps: SweepControl,
        _ item: ConsoleWork.Item
    ) async -> ConsoleWork.Ending {
        do {
            let report = try await sweeps.report(job, isDryRun: false, until: item.stop)
            let text = SweepText.summary(of: report, job, isDryRun: false)
            return ConsoleWork.Ending(state: item.stop.isSet ? .stopped : .finished, text: "\(text).")
        } catch is SweepControl.NoBankClock {
            return ConsoleWork.Ending(state: .failed, text: "\(SweepControl.NoBankClock.explanation).")
        } catch {
            return ConsoleWork.Ending(state: .failed, text: "\(error); the next run goes on with it.")
        }
    }
}

struct SweepsContent: Sendable {
    let dryRun: String?
    let jobs: [Job]
    let runs: [Run]
    let hasWork: Bool
    let work: [Started]
    let commands: [CommandText]

    struct Job: Sendable {
        let job: String
        let what: String
        let period: String
        let last: TimeText?
        let canAct: Bool
        let form: String
    }

    struct Run: Sendable {
        let job: String
        let started: TimeText
        let finished: String
        let slot: String
        let examined: String
        let resolved: String
        let attention: String
        let waiting: String
    }

    struct Started: Sendable {
        let id: String
        let title: String
        let state: String
        let by: String
        let at: TimeText
    }

    init(
        _ runs: [SweepRun],
        _ periods: [SweepJob: Duration],
        _ work: [ConsoleWork.Item],
        _ session: ConsoleSession,
        dryRun: String?,
        now: Timestamp
    ) {
        self.dryRun = dryRun
        jobs = SweepJob.allCases.map { job in
            Job(
                job: job.rawValue,
                what: job.what,
                period: periods[job].map(AgeText.of) ?? "",
                last: runs.first { $0.job == job && $0.finishedAt != nil }?.finishedAt.map { TimeText($0, now: now) },
                canAct: session.canAct,
                form: session.formToken
            )
        }
        self.runs = runs.map { run in
            Run(
                job: run.job.rawValue,
                started: TimeText(run.startedAt, now: now),
                finished: run.finishedAt.map { "after \(AgeText.of(run.startedAt.duration(to: $0)))" } ?? "not yet",
                slot: run.slot.map(TimeText.second) ?? "by hand",
                examined: CountText.of(run.report.examined),
                resolved: CountText.of(run.report.resolved),
                attention: CountText.of(run.report.needsAttention),
                waiting: CountText.of(run.report.waiting)
            )
        }
        self.work = work.map { item in
            Started(
                id: item.id,
                title: item.order.title,
                state: item.state.rawValue,
                by: item.order.by,
                at: TimeText(item.startedAt, now: now)
            )
        }
        hasWork = !work.isEmpty
        commands =
            [CommandText(["sweeps", "status", "--limit", "\(SweepPages.runs)"])]
            + SweepJob.allCases.flatMap { job in
                [
                    CommandText(["sweeps", "run", job.rawValue, "--dry-run"]),
                    CommandText(["sweeps", "run", job.rawValue]),
                ]
            }
    }
}

extension SweepJob {
    fileprivate var what: String {
        switch self {
        case .reconcile: "finishes operations that nobody is working on, by asking the bank"
        case .expire: "marks authorizations that the bank's clock says have expired"
        case .retention: "removes what need not be kept any longer"
        }
    }
}
