import Core
import HTTPTypes
import Hummingbird

/// `POST /payments/{id}/resolve`: what `processor payments resolve` does, by the same names. With `"confirm": true` it is done,
/// otherwise the answer says what would be.
struct ResolutionRoutes: Sendable {
    let resolver: OperationResolver

    private static let largestBody = 1 << 16

    func add(to router: Router<AdminContext>) {
        router.post("payments/:id/resolve") { request, context in
            try await resolve(request, context.parameters.get("id") ?? "", context)
        }
    }

    private func resolve(_ request: Request, _ text: String, _ context: AdminContext) async throws -> Response {
        _ = try QueryParameters(request.uri, knowing: [])
        let actor = try request.operatorName(context)
        let body = try await request.body.collect(upTo: Self.largestBody)
        guard let id = PaymentID(text) else { throw AdminError.invalid(InvalidField("id", "is not a UUID")) }
        let input: ResolutionInput
        let order: ResolutionOrder
        do throws(InvalidField) {
            input = try ResolutionInput(Array(buffer: body))
            order = try input.order(on: id, by: actor)
        } catch {
            throw AdminError.invalid(error)
        }
        do throws(ResolutionRefusal) {
            let plan = try await resolver.plan(order)
            guard input.isConfirmed else { return Response(json: plan.json(nil)) }
            return Response(json: plan.json(try await resolver.carryOut(plan)))
        } catch {
            throw AdminError(error)
        }
    }
}
