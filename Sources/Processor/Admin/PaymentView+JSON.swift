import Core

extension PaymentView {
    /// What `GET /payments/{id}` and `payments show --json` answer (docs/contract.md#admin-api): the payment of the
    /// replies, and all that happened to it.
    var json: JSONValue {
        var members = payment.jsonMembers
        members["attempts"] = .array(attempts.map(\.json))
        members["replays"] = .array(replays.map(\.json))
        members["history"] = .array(history.map(\.json))
        members["operations"] = .array(operations.map(\.json))
        members["possible_orphan"] = orphan.map { .string($0.rawValue) }
        return .object(members)
    }
}

extension PaymentPage {
    /// What `GET /payments?…` and `payments list --json` answer (docs/contract.md#admin-api).
    var json: JSONValue {
        .object(["next_cursor": .optional(next?.description), "payments": .array(payments.map(json(of:)))])
    }

    private func json(of payment: Payment) -> JSONValue {
        var members = payment.jsonMembers
        members["possible_orphan"] = orphans[payment.id].map { .string($0.rawValue) }
        return .object(members)
    }
}

extension BankAttemptRecord {
    fileprivate var json: JSONValue {
        .object([
            "at": .string(at.description),
            "code": .optional(code),
            "idempotency_key": .string(idempotencyKey.description),
            "operation": .string(operation.rawValue),
            "status": status.map { .integer($0) } ?? .null,
            "tier": .optional(tier?.rawValue),
            "verdict": .string(verdict.rawValue),
        ])
    }
}

extension ReplayRecord {
    fileprivate var json: JSONValue {
        .object([
            "at": .string(at.description),
            "by": .string(actor),
            "dead_letter_id": .string(deadLetterID.description),
            "result": .string(result),
        ])
    }
}

extension HistoryEntry {
    fileprivate var json: JSONValue {
        .object([
            "at": .string(at.description),
            "cause": .string(cause),
            "from": .optional(from?.rawValue),
            "operation": .string(operation.rawValue),
            "to": .string(to.rawValue),
        ])
    }
}

extension Operation {
    fileprivate var json: JSONValue {
        .object([
            "attempts": .integer(attempts),
            "idempotency_key": .string(idempotencyKey.description),
            "kind": .string(kind.rawValue),
            "last_error": .optional(lastError),
            "notified": isOpen ? .null : .bool(isNotified),
            "state": .string(state.rawValue),
        ])
    }
}
