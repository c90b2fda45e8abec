import Core

/// A resolution as an operator reads it.
enum ResolutionText {
    static func plan(_ plan: ResolutionPlan) -> String {
        let (operation, payment, order) = (plan.operation, plan.payment, plan.resolution.order)
        let facts = [
            ["operation", "\(operation.kind.rawValue) \(operation.idempotencyKey)"],
            ["payment", "\(payment.id), \(payment.status.rawValue), \(PaymentText.amount(payment.amount))"],
            ["review because", operation.lastError ?? "-"],
            ["the bank", plan.testimony],
            ["to be done", "resolved as \(order.end.rawValue), the payment becomes \(plan.status.rawValue)"],
            ["reason", order.reason],
        ]
        return TextTable.lines(facts).joined(separator: "\n")
    }

    static func report(_ report: ResolutionReport) -> String {
        let (operation, order) = (report.plan.operation, report.plan.resolution.order)
        let deadLetters = report.closedDeadLetters == 1 ? "1 dead letter" : "\(report.closedDeadLetters) dead letters"
        let text =
            "\(operation.kind.rawValue) \(operation.idempotencyKey) is resolved as \(order.end.rawValue), the payment is "
            + "\(report.plan.status.rawValue); its reply and events are on their way, \(deadLetters) closed"
        return TextTable.lines([[text]]).joined()
    }
}
