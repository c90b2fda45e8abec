import Core
import HTTPTypes
import Hummingbird
import HummingbirdCore

/// Dead letters over HTTP (docs/contract.md#admin-api): what `processor dead-letters` does, by the same names.
struct DeadLetterRoutes: Sendable {
    let service: DeadLetterService

    private static let largestBody = 1 << 20

    func add(to router: Router<AdminContext>) {
        router.get("dead-letters/:id") { request, context in
            _ = try QueryParameters(request.uri, knowing: [])
            return try await show(context.parameters.get("id") ?? "")
        }
        router.get("dead-letters") { request, _ in try await list(request.uri) }
        router.post("dead-letters/replay") { request, context in
            try await act(request, .replay, context)
        }
        router.post("dead-letters/discard") { request, context in
            try await act(request, .discard, context)
        }
    }

    private func show(_ text: String) async throws -> Response {
        guard let id = DeadLetterID(text) else { throw AdminError.invalid(InvalidField("id", "is not a UUID")) }
        guard let view = try await service.queries.deadLetter(id) else {
            throw AdminError.notFound("there is no such dead letter")
        }
        return Response(json: view.json)
    }

    private func list(_ uri: URI) async throws -> Response {
        let parameters = try QueryParameters(uri, knowing: (DeadLetterOrder.filterNames.union(["cursor"])).sorted())
        let input = DeadLetterFilterInput { parameters[$0] }
        let filter: DeadLetterFilter
        let limit: Int?
        do throws(InvalidField) {
            filter = try input.page(after: parameters["cursor"])
            let stated = parameters["limit"].map { Int($0) ?? 0 }
            limit = try DeadLetterLimit.checked(stated, atMost: DeadLetterLimit.list)
        } catch {
            throw AdminError.invalid(error)
        }
        return Response(json: try await service.queries.page(filter, limit: limit ?? DeadLetterLimit.usual).json)
    }

    private func act(
        _ request: Request,
        _ action: DeadLetterService.Action,
        _ context: AdminContext
    ) async throws -> Response {
        _ = try QueryParameters(request.uri, knowing: [])
        let actor = try request.operatorName(context)
        let body = try await request.body.collect(upTo: Self.largestBody)
        let order: DeadLetterOrder
        do throws(InvalidField) {
            order = try DeadLetterOrder(Array(buffer: body), action)
        } catch {
            throw AdminError.invalid(error)
        }
        let frozen = try await service.freeze(order.selection, for: action)
        if let missing = frozen.missing.first { throw AdminError.notFound("there is no dead letter \(missing)") }
        let count = frozen.ids.count
        if order.isDryRun {
            return Response(json: try await service.rehearse(frozen.ids, action).json(action, isDryRun: true))
        }
        guard let confirmed = order.confirmed else {
            throw AdminError.invalid(
                InvalidField("confirm", #"\#(DeadLetterText.matching(count)): add "confirm": \#(count)"#)
            )
        }
        guard confirmed == count else {
            throw AdminError.invalid(InvalidField("confirm", "\(DeadLetterText.matching(count)), not \(confirmed)"))
        }
        switch action {
        case .replay:
            let replay = ReplayOrder(requestedBy: actor, filter: order.filter, pace: order.pace)
            return Response(accepted: try await service.order(frozen.ids, replay))
        case .discard:
            return Response(json: await service.discard(frozen.ids, by: actor, reason: order.reason ?? "").json(action))
        }
    }
}

extension DeadLetterFilterInput {
    /// - Parameter text: the value under a name; names with dashes may be written with underscores.
    init(_ text: (String) -> String?) {
        func either(_ name: String) -> String? { text(name) ?? text(name.replacing("-", with: "_")) }
        self.init(
            code: text("code"),
            message: text("message"),
            operation: text("operation"),
            merchant: text("merchant"),
            payment: text("payment"),
            order: text("order"),
            olderThan: either("older-than"),
            newerThan: either("newer-than"),
            state: text("state")
        )
    }
}

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
