import Core
import Hummingbird
import HummingbirdCore

/// The requests that the admin server answers (docs/contract.md#admin-api).
struct AdminRoutes: Sendable {
    let queries: any PaymentQueries
    let deadLetters: DeadLetterService
    let resolver: OperationResolver
    let readiness: Readiness
    let metrics: PrometheusRegistry
    let cardKeys: CardKeyring
    var console: Console?

    func router(access: AdminAccess, limits: AdminLimits) -> Router<AdminContext> {
        let named = Router(context: AdminContext.self, options: .autoGenerateHeadEndpoints)
        add(to: named)
        let router = Router(context: AdminContext.self, options: .autoGenerateHeadEndpoints)
        // First: only the routes that are added after it go through it.
        router.add(
            middleware: AdminMiddleware(
                access: access,
                limits: limits,
                allowed: AllowedMethods(named),
                console: console.map(ConsoleGate.init)
            )
        )
        add(to: router)
        return router
    }

    private func add(to router: Router<AdminContext>) {
        // That it is answered is the answer: the event loop lives.
        router.get("healthz") { _, _ in Response(json: .object(["status": .string("ok")])) }
        router.get("readyz") { _, _ in
            let state = readiness.current
            return Response(status: state.isReady ? .ok : .serviceUnavailable, json: state.json)
        }
        router.get(".well-known/jwks.json") { _, _ in Response(json: cardKeys.publicJSON) }
        // What is counted elsewhere is brought up to date by `GaugeSampler`: a scrape asks nobody.
        router.get("metrics") { _, _ in
            Response(
                type: PrometheusText.contentType,
                bytes: Array((metrics.text + ProcessStatistics.text).utf8)
            )
        }
        router.get("payments/:id") { request, context in
            _ = try QueryParameters(request.uri, knowing: [])
            return try await payment(context.parameters.get("id") ?? "")
        }
        router.get("payments") { request, _ in try await payments(request.uri) }
        ResolutionRoutes(resolver: resolver).add(to: router)
        DeadLetterRoutes(service: deadLetters).add(to: router)
        ReplayRoutes(service: deadLetters).add(to: router)
        console?.add(to: router)
    }

    private func payment(_ text: String) async throws -> Response {
        guard let id = PaymentID(text) else { throw AdminError.invalid(InvalidField("id", "is not a UUID")) }
        guard let view = try await queries.payment(id) else { throw AdminError.notFound("there is no such payment") }
        return Response(json: view.json)
    }

    private func payments(_ uri: URI) async throws -> Response {
        let parameters = try QueryParameters(uri, knowing: PaymentQueryInput.names)
        let query: PaymentQuery
        do throws(InvalidField) {
            query = try PaymentQueryInput(
                orderID: parameters["order_id"],
                customerID: parameters["customer_id"],
                possibleOrphans: parameters["possible_orphans"],
                status: parameters["status"],
                idempotencyKey: parameters["idempotency_key"],
                bankID: parameters["bank_id"],
                messageID: parameters["message_id"],
                since: parameters["since"],
                until: parameters["until"],
                merchantID: parameters["merchant_id"],
                limit: parameters["limit"],
                cursor: parameters["cursor"]
            ).query()
        } catch {
            throw AdminError.invalid(error)
        }
        return Response(json: try await queries.payments(query).json)
    }
}
