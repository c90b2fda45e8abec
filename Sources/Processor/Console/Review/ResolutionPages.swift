import Core
import HTTPTypes
import Hummingbird

/// Ends an operation in review by a person's word: what `payments resolve` does, by the same code, in two steps.
struct ResolutionPages: Sendable {
    let console: Console

    func add(to router: Router<AdminContext>) {
        console.get("console/payments/:id/resolve", on: router) { visit, parameters in
            try await ask(parameters.get("id") ?? "", visit)
        }
        console.post("console/payments/:id/resolve", on: router) { visit, parameters in
            try await carryOut(parameters.get("id") ?? "", visit)
        }
    }

    /// Says what would be done. The bank is asked, which executes nothing there.
    private func ask(_ text: String, _ visit: ConsoleVisit) async throws -> ConsoleAnswer {
        guard visit.session.canAct else { throw ConsoleFailure.readOnly }
        let (payment, order) = try await order(text, visit)
        do throws(ResolutionRefusal) {
            return .page(page(visit, payment, order, plan: try await console.parts.resolver.plan(order)))
        } catch {
            return .page(page(visit, payment, order, refusal: error))
        }
    }

    private func carryOut(_ text: String, _ visit: ConsoleVisit) async throws -> ConsoleAnswer {
        let (payment, order) = try await order(text, visit)
        let report: ResolutionReport
        do throws(ResolutionRefusal) {
            report = try await console.parts.resolver.carryOut(try await console.parts.resolver.plan(order))
        } catch {
            return .page(page(visit, payment, order, refusal: error))
        }
        await console.overview.forget()
        let problems = report.problems.isEmpty ? "" : " Left to do: \(report.problems.joined(separator: "; "))."
        console.sessions.leave(
            ConsoleNotice(
                kind: report.problems.isEmpty ? .notice : .hold,
                text: "\(ResolutionText.report(report)).\(problems)"
            ),
            for: visit.session
        )
        return .seeOther("/console/payments/\(payment.id)")
    }

    private func order(_ text: String, _ visit: ConsoleVisit) async throws -> (Payment, ResolutionOrder) {
        guard let id = PaymentID(text), let view = try await console.parts.queries.payment(id) else {
            throw ConsoleFailure.notFound("payment")
        }
        let input = ResolutionInput(
            operation: visit.fields["operation"] ?? "",
            end: visit.fields["as"] ?? "",
            bankID: visit.fields["bank_id"],
            reason: visit.fields["reason"] ?? "",
            merchantID: visit.fields["merchant_id"]
        )
        return (view.payment, try input.order(on: id, by: visit.session.name))
    }

    private func page(
        _ visit: ConsoleVisit,
        _ payment: Payment,
        _ order: ResolutionOrder,
        plan: ResolutionPlan? = nil,
        refusal: ResolutionRefusal? = nil
    ) -> ConsolePage {
        ConsolePage(
            title: "Resolve",
            section: .review,
            template: "resolve",
            content: ResolveContent(visit, payment, order, plan, refusal),
            status: refusal == nil ? .ok : refusal?.code == "unavailable" ? .serviceUnavailable : .conflict
        )
    }
}

/// The page that asks for agreement.
struct ResolveContent: Sendable {
    let kind: String
    let order: String
    let end: String
    let facts: [Fact]
    let refusal: String?
    let form: String
    let action: String
    let hidden: [Fact]
    let back: String
    let command: CommandText

    init(
        _ visit: ConsoleVisit,
        _ payment: Payment,
        _ order: ResolutionOrder,
        _ plan: ResolutionPlan?,
        _ refusal: ResolutionRefusal?
    ) {
        kind = plan?.operation.kind.rawValue ?? "operation"
        self.order = payment.orderID
        end = order.end.rawValue
        self.refusal = refusal.map { error in
            let text = error.explanation
            let end = error.isHarmless ? "" : ". It may have been done, or be done by the sweep: look again"
            return text.prefix(1).uppercased() + text.dropFirst() + end
        }
        facts = plan.map(Self.facts) ?? []
        form = visit.session.formToken
        action = "/console/payments/\(payment.id)/resolve"
        let merchant = order.merchantID?.description
        hidden = [
            ("operation", order.operation), ("as", order.end.rawValue), ("bank_id", order.bankID ?? ""),
            ("reason", order.reason), ("merchant_id", merchant ?? ""),
        ].map { Fact($0, $1) }
        back = ReviewPages.path(payment.id, key: order.operation, merchant: merchant ?? MerchantID.default.description)
        var words: [String?] = ["payments", "resolve", payment.id.description, "--operation", order.operation]
        words += CommandText.option("--merchant-id", merchant) + ["--as", order.end.rawValue]
        words += CommandText.option("--bank-id", order.bankID) + CommandText.option("--reason", order.reason)
        command = CommandText(words + ["--confirm"])
    }

    private static func facts(_ plan: ResolutionPlan) -> [Fact] {
        let (operation, payment, order) = (plan.operation, plan.payment, plan.resolution.order)
        return [
            Fact("Operation", "\(operation.kind.rawValue), key \(operation.idempotencyKey)"),
            Fact("Payment", "\(payment.id), \(payment.status.rawValue), \(PaymentText.amount(payment.amount))"),
            Fact("In review because", ReviewReason.words(operation.lastError)),
            Fact("The bank", plan.testimony),
            Fact("Then", "the operation has \(order.end.rawValue), and the payment is \(plan.status.rawValue)"),
            Fact("Notified", "the client gets its final reply, listeners the events; its dead letters are closed"),
            Fact("Reason", order.reason),
            Fact("By", order.actor),
        ]
    }
}
