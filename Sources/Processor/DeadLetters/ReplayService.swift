import ConfigurationText
import Core
import Logging
import ServiceLifecycle

/// Runs replays in the background, until the service shuts down; what is under way then another processor takes up.
struct ReplayService: Sendable {
    let runner: ReplayRunner
    let logger: Logger

    func run() async {
        let stop = StopFlag()
        await withGracefulShutdownHandler {
            await runner.runAll(
                until: stop,
                onStart: { logger.notice("replaying dead letters", metadata: $0.metadata) },
                onEnd: { logger.notice("replay of dead letters ended", metadata: $0.metadata) }
            )
        } onGracefulShutdown: {
            stop.set()
        }
    }
}

extension ReplayRun {
    fileprivate var metadata: Logger.Metadata {
        [
            "replay": "\(id)", "state": "\(state.rawValue)", "selected": "\(counts.selected)",
            "replayed": "\(counts.replayed)", "skipped": "\(counts.skipped)", "failed": "\(counts.failed)",
            "by": "\(order.requestedBy)",
        ]
    }
}

extension ReplayRun {
    /// An element of the list (docs/contract.md#command-line).
    var json: JSONValue { .object(jsonMembers) }

    fileprivate var jsonMembers: [String: JSONValue] {
        [
            "created_at": .string(createdAt.description), "failed": .integer(counts.failed),
            "filter": order.filter ?? .null, "finished_at": .optional(finishedAt?.description),
            "id": .string(id.description),
            "rate": order.pace.perSecond.map { .integer($0) } ?? .null, "reason": .optional(reason),
            "replayed": .integer(counts.replayed), "requested_by": .string(order.requestedBy),
            "selected": .integer(counts.selected), "skipped": .integer(counts.skipped),
            "state": .string(state.rawValue), "stop_at_failures": .number("\(order.pace.failureShare)"),
            "stopped_by": .optional(stoppedBy),
        ]
    }

    /// Where it is shown over HTTP.
    var path: String { "/dead-letters/replays/\(id)" }
}

extension ReplayView {
    /// One of the list, with what was not replayed, and why.
    var json: JSONValue {
        let problems = problems.map { problem in
            JSONValue.object([
                "id": .string(problem.deadLetter.description), "reason": .string(problem.reason),
                "result": .string(problem.result.rawValue),
            ])
        }
        return .object(run.jsonMembers.merging(["problems": .array(problems)]) { _, new in new })
    }
}

enum ReplayList {
    static func json(_ runs: [ReplayRun]) -> JSONValue { .object(["replays": .array(runs.map(\.json))]) }

    /// How many a list shows, at most.
    static let limits = 1...1_000
    /// Where nothing else is asked for.
    static let usual = 20
}

extension DeadLetterFilterInput {
    /// As it was given, for those who read of the replay later.
    ///
    /// - Parameter limit: the most that were to be selected.
    func json(limit: Int?) -> JSONValue {
        let texts: [String: String?] = [
            "code": code, "message": message, "operation": operation, "merchant": merchant, "payment": payment,
            "order": order,
            "older_than": olderThan, "newer_than": newerThan, "state": state,
        ]
        var members = texts.compactMapValues { $0.map(JSONValue.string) }
        members["limit"] = limit.map { .integer($0) }
        return .object(members)
    }
}
