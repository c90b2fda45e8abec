import Core
import Hummingbird

/// What only a person can end.
struct ReviewPages: Sendable {
    let console: Console

    func add(to router: Router<AdminContext>) {
        console.get("console/review", on: router) { _, _ in try await list() }
        console.get("console/review/:id", on: router) { visit, parameters in
            try await show(parameters.get("id") ?? "", visit)
        }
    }

    static func path(_ payment: PaymentID, _ operation: Operation) -> String {
        path(payment, key: operation.idempotencyKey.description, merchant: operation.merchantID.description)
    }

    static func path(_ payment: PaymentID, key: String, merchant: String) -> String {
        ConsolePath.link(
            "\(ConsoleSection.review.path)/\(payment)",
            [("operation", key), ("merchant_id", merchant == MerchantID.default.description ? nil : merchant)]
        )
    }

    private func list() async throws -> ConsoleAnswer {
        let reviews = try await console.parts.reading.reviews(of: nil, limit: OverviewSource.mostReviews)
        return .page(
            ConsolePage(
                title: "Manual review",
                section: .review,
                template: "reviews",
                content: ReviewsContent(reviews, now: console.parts.time.now())
            )
        )
    }

    private func show(_ text: String, _ visit: ConsoleVisit) async throws -> ConsoleAnswer {
        guard let id = PaymentID(text), let view = try await console.parts.queries.payment(id) else {
            throw ConsoleFailure.notFound("payment")
        }
        let merchant = visit.fields["merchant_id"] ?? MerchantID.default.description
        let found = view.operations.first { operation in
            operation.idempotencyKey.description == visit.fields["operation"]
                && operation.merchantID.description == merchant
        }
        guard let operation = found ?? view.operations.first(where: { $0.state == .needsAttention }) else {
            throw ConsoleFailure.notFound("operation in review")
        }
        guard operation.state == .needsAttention else {
            // Somebody else has been faster: what became of it is on the payment's page.
            console.sessions.leave(
                ConsoleNotice(
                    kind: .notice,
                    text: "The \(operation.kind.rawValue) is \(operation.state.rawValue) by now."
                ),
                for: visit.session
            )
            return .seeOther("/console/payments/\(id)")
        }
        let review = try await console.parts.reading.reviews(of: id, limit: OverviewSource.mostReviews)
            .first { $0.idempotencyKey == operation.idempotencyKey && $0.merchantID == operation.merchantID }
        var answers: BankView?
        if visit.fields["bank"] == "ask" {
            guard visit.session.canAct else { throw ConsoleFailure.readOnly }
            answers = try await BankView(asking: console.parts, operation, view.payment, by: visit.session.name)
        }
        return .page(
            ConsolePage(
                title: "Review of the \(operation.kind.rawValue) of order \(view.payment.orderID)",
                section: .review,
                template: "review",
                content: ReviewContent(
                    view.payment,
                    operation,
                    review,
                    answers,
                    canAct: visit.session.canAct,
                    now: console.parts.time.now()
                )
            )
        )
    }
}
