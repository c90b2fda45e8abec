import Core
import HTTPTypes
import Hummingbird
import HummingbirdCore

/// Replays of dead letters over HTTP (docs/contract.md#admin-api): they run in the background of a processor.
struct ReplayRoutes: Sendable {
    let service: DeadLetterService

    func add(to router: Router<AdminContext>) {
        router.get("dead-letters/replays") { request, _ in try await list(request.uri) }
        router.get("dead-letters/replays/:id") { request, context in
            _ = try QueryParameters(request.uri, knowing: [])
            return try await show(context.parameters.get("id") ?? "")
        }
        router.post("dead-letters/replays/:id/stop") { request, context in
            _ = try QueryParameters(request.uri, knowing: [])
            return try await stop(context.parameters.get("id") ?? "", by: try request.operatorName(context))
        }
    }

    private func list(_ uri: URI) async throws -> Response {
        let parameters = try QueryParameters(uri, knowing: ["limit"])
        let limit = parameters["limit"].map { Int($0) ?? 0 } ?? ReplayList.usual
        guard ReplayList.limits.contains(limit) else {
            throw AdminError.invalid(
                InvalidField("limit", "must be an integer from 1 to \(ReplayList.limits.upperBound)")
            )
        }
        return Response(json: ReplayList.json(try await service.replays.replays(limit: limit)))
    }

    private func show(_ text: String) async throws -> Response {
        guard let view = try await service.replays.replayView(try Self.id(text)) else { throw Self.notFound }
        return Response(json: view.json)
    }

    private func stop(_ text: String, by actor: String) async throws -> Response {
        guard let run = try await service.replays.stopReplay(try Self.id(text), by: actor) else { throw Self.notFound }
        // One that a process is at stops before its next dead letter.
        return Response(status: run.state == .running ? .accepted : .ok, json: run.json)
    }

    private static func id(_ text: String) throws -> ReplayID {
        guard let id = ReplayID(text) else { throw AdminError.invalid(InvalidField("id", "is not a UUID")) }
        return id
    }

    private static let notFound = AdminError.notFound("there is no such replay")
}

extension Response {
    /// It is under way; `Location` is where to watch it.
    init(accepted run: ReplayRun) {
        self.init(status: .accepted, json: run.json)
        headers[.location] = run.path
    }
}
