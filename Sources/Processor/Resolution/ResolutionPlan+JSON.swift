import Core

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
