import Core
import Hummingbird

/// What only a person can end.
struct ReviewPages: Sendable {
    let console: Console

    func add(to router: Router<AdminContext>) {
        console.get("console/review", on: router) { visit, _ in try await list(visit) }
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

    static let pageSize = 50

    private func list(_ visit: ConsoleVisit) async throws -> ConsoleAnswer {
        var place: ReviewPlace?
        if let cursor = visit.fields["cursor"] {
            place = ReviewPlace(cursor)
            guard place != nil else { throw InvalidField("cursor", "is not of an earlier page") }
        }
        let reviews = try await console.parts.reading.reviews(of: nil, after: place, limit: Self.pageSize + 1)
        return .page(
            ConsolePage(
                title: "Manual review",
                section: .review,
                template: "reviews",
                content: ReviewsContent(
                    Array(reviews.prefix(Self.pageSize)),
                    count: await console.overview.snapshot().reviews,
                    isFirst: place == nil,
                    isCut: reviews.count > Self.pageSize,
                    now: console.parts.time.now()
                )
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
        let review = try await console.parts.reading.reviews(of: id, after: nil, limit: OverviewSource.mostReviews)
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
