import Core
import HTTPTypes
import Hummingbird
import Logging
import NIOCore

/// Lets in who may ask, and gives every failure the shape of the contract.
struct AdminMiddleware: RouterMiddleware {
    typealias Context = AdminContext

    let access: AdminAccess
    let limits: AdminLimits
    let allowed: AllowedMethods
    /// Its pages have rules of their own, for people.
    var console: ConsoleGate?

    func handle(
        _ request: Request,
        context: AdminContext,
        next: (Request, AdminContext) async throws -> Response
    ) async throws -> Response {
        let caller = access.caller(request.headers[.authorization])
        let decision = access.decide(
            path: request.uri.path,
            method: request.method,
            caller: caller,
            peer: context.peer
        )
        var context = context
        context.actor = caller?.name
        do {
            if let console, ConsolePath.owns(request.uri.path) {
                return await console.handle(try await read(request, context, keepsBody: true), context, next: next)
            }
            let request = try await read(request, context, keepsBody: decision == .allowed)
            if let refusal = decision.refusal ?? browserRefusal(of: request) { return refusal.response }
            return try await next(request, context)
        } catch let error as AdminError {
            return error.response
        } catch let error as StoreError {
            context.logger.warning("admin query failed", metadata: [LogKey.error.rawValue: "\(error)"])
            return AdminError(error).response
        } catch let error as HTTPError where error.status == .notFound {
            let methods = allowed.methods(of: request.uri.path)
            guard methods.isEmpty else { return AdminError.notAllowed(methods).response }
            return AdminError.notFound("there is no such path").response
        } catch let error as HTTPError {
            return AdminError(
                status: error.status,
                code: "invalid_request",
                message: error.body ?? error.status.reasonPhrase
            ).response
        } catch is NIOTooManyBytesError {
            return AdminError(
                status: .contentTooLarge,
                code: "invalid_request",
                message: "the body is too long"
            ).response
        } catch is CancellationError {
            throw CancellationError()
        } catch {
            context.logger.error("admin request failed", metadata: [LogKey.error.rawValue: "\(type(of: error))"])
            return AdminError.internal.response
        }
    }

    /// What is public is answered to anybody.
    private func browserRefusal(of request: Request) -> AdminError? {
        let path = request.uri.path
        if access.hasToken || AdminAccess.isPublic(path) { return nil }
        if let refusal = BrowserGuard.refusal(of: request.head, usesTLS: access.usesTLS) { return refusal }
        // Where the path takes no POST, that is said.
        guard request.method == .post, !BrowserGuard.isJSON(request.head),
            allowed.methods(of: path).contains(HTTPRequest.Method.post.rawValue)
        else { return nil }
        return .notJSON
    }

    /// All of it, before anything is done. What nobody may ask is dropped as it comes.
    private func read(_ request: Request, _ context: AdminContext, keepsBody: Bool) async throws -> Request {
        do {
            return try await context.reading(within: limits.body) {
                var request = request
                if keepsBody {
                    _ = try await request.collectBody(upTo: limits.largestBody)
                } else {
                    for try await _ in request.body {}
                }
                return request
            }
        } catch let error as NIOTooManyBytesError {
            throw error
        } catch {
            // The client has gone, or was too slow: there is nobody to answer.
            throw CancellationError()
        }
    }
}

/// A request's context that knows who is at the other end.
struct AdminContext: RequestContext {
    var coreContext: CoreRequestContextStorage
    /// An IP address; `nil` where the connection is none of the internet family.
    let peer: String?
    /// Whose token the request has.
    var actor: String?
    /// Of a person who uses the console.
    var visit: ConsoleVisit?
    /// What came with a request to a page of the console that is there for everybody.
    var form = FormFields.none
    private let channel: any Channel

    init(source: ApplicationRequestContextSource) {
        coreContext = CoreRequestContextStorage(source: source)
        peer = source.channel.remoteAddress?.ipAddress
        channel = source.channel
    }

    /// Does what reads from the client; the connection is closed where that takes longer than `limit`: what is sent a byte at a
    /// time must not hold it forever.
    func reading<Value>(within limit: Duration, _ work: () async throws -> Value) async throws -> Value {
        let deadline = channel.eventLoop.scheduleTask(in: TimeAmount(limit)) { [channel] in
            channel.close(promise: nil)
        }
        defer { deadline.cancel() }
        return try await work()
    }
}

/// Tells a path that is there from one that is not, where the method is another one.
struct AllowedMethods: Sendable {
    private let routes: [(path: [Substring], method: HTTPRequest.Method)]

    init(_ router: Router<AdminContext>) {
        routes = router.routes.map { (Self.segments($0.path.description), $0.method) }
    }

    /// - Returns: sorted by name; empty where there is no such path.
    func methods(of path: String) -> [String] {
        let segments = Self.segments(path)
        let found = routes.filter { route in
            route.path.count == segments.count
                && zip(route.path, segments).allSatisfy { $0 == $1 || $0.first == "{" || $0.first == ":" }
        }
        var methods = Set(found.map(\.method.rawValue))
        // The router answers it wherever it answers GET.
        if methods.contains(HTTPRequest.Method.get.rawValue) { methods.insert(HTTPRequest.Method.head.rawValue) }
        return methods.sorted()
    }

    private static func segments(_ path: String) -> [Substring] { path.split(separator: "/") }
}
