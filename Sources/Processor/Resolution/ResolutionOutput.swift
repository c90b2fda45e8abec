import Core
import HTTPTypes

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

extension ResolutionPlan {
    /// What `payments resolve --json` prints and `POST /payments/{id}/resolve` answers.
    ///
    /// - Parameter report: `nil` where it has not been done yet.
    func json(_ report: ResolutionReport?) -> JSONValue {
        .object([
            "as": .string(resolution.order.end.rawValue),
            "bank": .object([
                "id": .optional(resolution.bankID), "key": .string(resolution.key.name), "message": .string(testimony),
            ]),
            "dead_letters": .integer(report?.closedDeadLetters ?? 0),
            "done": .bool(report != nil),
            "idempotency_key": .string(operation.idempotencyKey.description),
            "merchant_id": .string(operation.merchantID.description),
            "operation": .string(operation.kind.rawValue),
            "outcome": .string(resolution.order.end.outcome.rawValue),
            "payment_id": .string(payment.id.description),
            "reason": .string(resolution.order.reason),
            "status": .string(status.rawValue),
        ])
    }
}

extension ResolutionRefusal {
    /// How `payments resolve` ends (docs/contract.md#exit-codes).
    var exitStatus: ExitStatus {
        switch self {
        case .noPayment, .noOperation, .severalOperations, .otherState, .notActive, .bankExecuted, .otherBankID,
            .bankIDUnknown, .bankIDDiffers, .bankIDTaken, .changed:
            .differences
        case .needsBankID: .usage
        case .bankUnavailable: .unavailable
        case .storeFailed(let error): CommandFailure(error).status
        }
    }

    /// Whether it is certain that nothing has been changed: not where the store went away in the middle.
    var isHarmless: Bool {
        if case .storeFailed(let error) = self { return !error.isRetriable }
        return true
    }
}

extension AdminError {
    init(_ refusal: ResolutionRefusal) {
        let status: HTTPResponse.Status
        switch refusal {
        case .noPayment, .noOperation: status = .notFound
        case .severalOperations, .otherState, .notActive, .bankExecuted, .otherBankID, .bankIDUnknown, .bankIDDiffers,
            .bankIDTaken, .changed:
            status = .conflict
        case .needsBankID: status = .badRequest
        case .bankUnavailable: status = .serviceUnavailable
        case .storeFailed(let error):
            self.init(error)
            return
        }
        self.init(status: status, code: refusal.code, message: refusal.explanation)
    }
}
