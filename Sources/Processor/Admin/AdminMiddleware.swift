import Core
import HTTPTypes
import Hummingbird
import Logging

/// Lets in who may ask, and gives every failure the shape of the contract.
struct AdminMiddleware: RouterMiddleware {
    typealias Context = AdminContext

    let access: AdminAccess

    func handle(
        _ request: Request,
        context: AdminContext,
        next: (Request, AdminContext) async throws -> Response
    ) async throws -> Response {
        let decision = access.decide(
            path: request.uri.path,
            authorization: request.headers[.authorization],
            peer: context.peer
        )
        if let refusal = decision.refusal { return refusal.response }
        do {
            return try await next(request, context)
        } catch let error as AdminError {
            return error.response
        } catch let error as StoreError {
            context.logger.warning("admin query failed", metadata: [LogKey.error.rawValue: "\(error)"])
            return AdminError(error).response
        } catch let error as HTTPError where error.status == .notFound {
            return AdminError.notFound("there is no such path").response
        } catch let error as HTTPError {
            return AdminError(
                status: error.status,
                code: "invalid_request",
                message: error.body ?? error.status.reasonPhrase
            ).response
        } catch is CancellationError {
            throw CancellationError()
        } catch {
            context.logger.error("admin request failed", metadata: [LogKey.error.rawValue: "\(type(of: error))"])
            return AdminError.internal.response
        }
    }
}
