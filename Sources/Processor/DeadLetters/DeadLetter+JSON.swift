import Core

extension DeadLetter {
    /// An element of the list (docs/contract.md#command-line).
    var json: JSONValue { .object(jsonMembers) }

    fileprivate var jsonMembers: [String: JSONValue] {
        [
            "card": .optional(content.card),
            "code": .string(failure.code),
            "dead_lettered_at": .string(failure.at.description),
            "id": .string(id.description),
            "idempotency_key": .optional(command.idempotencyKey?.description),
            "merchant_id": .optional(command.merchantID?.description),
            "message": .string(failure.message),
            "message_id": .optional(content.message.messageID),
            "operation": .optional(command.kind?.rawValue),
            "payment_id": .optional(command.paymentID?.description),
            "replayable": .bool(content.isReplayable),
            "source": .string(failure.source.rawValue),
            "state": .string(state.rawValue),
        ]
    }

    /// The body as JSON where it is some, else as text.
    var bodyJSON: JSONValue {
        (try? JSONParser.parse(content.message.body))
            ?? .string(String(decoding: content.message.body, as: UTF8.self))
    }

}

extension DeadLetterPage {
    /// What `GET /dead-letters` and `dead-letters list --json` answer.
    var json: JSONValue {
        .object(["dead_letters": .array(deadLetters.map(\.json)), "next_cursor": .optional(next?.description)])
    }
}

extension DeadLetterView {
    /// One of the list, with its message and all that was done with it.
    var json: JSONValue {
        .object(
            deadLetter.jsonMembers.merging([
                "audit": .array(audit.map(\.json)),
                "body": deadLetter.bodyJSON,
                "headers": deadLetter.content.message.headersJSON,
                "operation_state": .optional(operation?.rawValue),
                "replay_of": .optional(deadLetter.replayOf?.description),
            ]) { _, new in new }
        )
    }
}

extension DeadLetterAuditEntry {
    fileprivate var json: JSONValue {
        .object([
            "action": .string(action), "at": .string(at.description), "reason": .optional(reason),
            "result": .string(result), "who": .string(actor),
        ])
    }
}

extension DeadLetterReport {
    /// `done` is `replayed` or `discarded`; on a dry run: would be, and why the others would not.
    func json(_ action: DeadLetterService.Action, isDryRun: Bool = false) -> JSONValue {
        let done =
            switch action {
            case .replay: "replayed"
            case .discard: "discarded"
            }
        var members: [String: JSONValue] = [
            "dry_run": .bool(isDryRun), "failed": .integer(failed), done: .integer(self.done),
            "selected": .integer(selected), "skipped": .integer(skipped),
        ]
        if isDryRun, !skips.isEmpty {
            members["reasons"] = .array(
                skips.map { .object(["id": .string($0.id.description), "reason": .string($0.reason)]) }
            )
        }
        // Discarding a dead letter does not end its operation.
        if stillOpen > 0 {
            members["still_open"] = .integer(stillOpen)
            members["open_operations"] = .array(leftOpen.map(\.json))
        }
        return .object(members)
    }
}

extension DeadLetterReport.Left {
    fileprivate var json: JSONValue {
        .object([
            "id": .string(id.description), "idempotency_key": .optional(command.idempotencyKey?.description),
            "operation": .optional(command.kind?.rawValue), "payment_id": .optional(command.paymentID?.description),
        ])
    }
}

/// `{"by_code":{…},"open":n}`: a dead letter counts as open until it is replayed or discarded.
enum DeadLetterStatistics {
    static func json(_ byCode: [String: Int]) -> JSONValue {
        .object([
            "by_code": .object(byCode.mapValues { .integer($0) }),
            "open": .integer(byCode.values.reduce(0, +)),
        ])
    }
}
