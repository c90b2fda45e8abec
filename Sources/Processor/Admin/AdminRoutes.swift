import Core
import HTTPTypes
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

/// The parameters of a request, all of them known: one that is misspelt must not show more than was meant.
///
/// Written as forms write them: `+` is a space, `%2B` a plus.
struct QueryParameters {
    private let values: [String: String]

    /// - Throws: `AdminError` with 400, for one that is unknown, there twice or not UTF-8.
    init(_ uri: URI, knowing names: [String]) throws {
        var values: [String: String] = [:]
        for pair in (uri.query ?? "").split(separator: "&") {
            let parts = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            guard let name = Self.decoded(parts[0]), names.contains(name) else {
                let allowed = names.isEmpty ? "there is none here" : "known are \(names.joined(separator: ", "))"
                throw AdminError.invalid(InvalidField("query", "has an unknown parameter; \(allowed)"))
            }
            guard let value = Self.decoded(parts.count == 2 ? parts[1] : "") else {
                throw AdminError.invalid(InvalidField(name, "must be percent-encoded UTF-8"))
            }
            guard values.updateValue(value, forKey: name) == nil else {
                throw AdminError.invalid(InvalidField(name, "is given twice"))
            }
        }
        self.values = values
    }

    subscript(name: String) -> String? { values[name] }

    /// - Returns: `nil` where it is no percent-encoded UTF-8.
    static func decoded(_ text: Substring) -> String? {
        var bytes: [UInt8] = []
        var rest = text.utf8[...]
        while let byte = rest.popFirst() {
            switch byte {
            case UInt8(ascii: "+"): bytes.append(UInt8(ascii: " "))
            case UInt8(ascii: "%"):
                guard let high = rest.popFirst().flatMap(Self.digit), let low = rest.popFirst().flatMap(Self.digit)
                else { return nil }
                bytes.append(high << 4 | low)
            default: bytes.append(byte)
            }
        }
        return String(validating: bytes, as: UTF8.self)
    }

    private static func digit(_ byte: UInt8) -> UInt8? {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): byte - UInt8(ascii: "0")
        case UInt8(ascii: "a")...UInt8(ascii: "f"): byte - UInt8(ascii: "a") + 10
        case UInt8(ascii: "A")...UInt8(ascii: "F"): byte - UInt8(ascii: "A") + 10
        default: nil
        }
    }
}

extension Request {
    /// Who acts, for the audit (docs/contract.md#admin-api): the name of the token. Without tokens the header says it.
    ///
    /// - Throws: `AdminError` where the header is no name.
    func operatorName(_ context: AdminContext) throws -> String {
        if let actor = context.actor { return actor }
        guard let name = HTTPField.Name("X-Operator"), let actor = headers[name] else { return AdminToken.admin }
        guard DeadLetterOrder.isText(actor, length: 1...128) else {
            throw AdminError.invalid(InvalidField("X-Operator", "must be 1 to 128 printable characters"))
        }
        return actor
    }
}
