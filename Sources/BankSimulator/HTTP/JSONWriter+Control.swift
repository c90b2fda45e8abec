extension JSONWriter {
    mutating func members(of entry: LedgerEntry, sequence: Int, account: CardAccount) {
        member("amount", entry.amount)
        member("authorization_id", entry.authorizationID.text(.authorization))
        member("capture_id", entry.captureID?.text(.capture))
        member("card_last4", account.lastFour)
        member("currency", "USD")
        member("executed_at", entry.executedAt.rfc3339(.nanoseconds))
        member("id", entry.id.text(entry.operation.effectKind))
        member("idempotency_key", entry.idempotencyKey)
        member("operation", entry.operation.rawValue)
        member("sequence", Int64(sequence))
    }

    mutating func members(of record: RequestRecord) {
        member("fault", record.fault)
        member("idempotency_key", record.idempotencyKey)
        member("path", record.path)
        member("replayed", record.isReplay)
        member("sequence", Int64(record.sequence))
        member("status", record.status.map { Int64($0) })
    }

    /// What only some faults have is left out of the others.
    fileprivate mutating func members(of entry: FaultTable.Entry) {
        let answer = entry.fault.answer
        if let answer { member("body", answer.effectiveBody) }
        member("count", entry.fault.count.map { Int64($0) })
        if let answer { member("executes", answer.executes) }
        member("fault", entry.fault.kind.rawValue)
        if let answer { member("headers", answer.headers) }
        member("id", Int64(entry.id))
        member("milliseconds", entry.fault.milliseconds)
        member("operation", entry.fault.operation?.rawValue ?? "any")
        member("probability", entry.fault.probability)
        member("remaining", entry.remaining.map { Int64($0) })
        if let answer { member("status", Int64(answer.status)) }
        if let style = entry.fault.style { member("style", style.rawValue) }
    }
}

extension FaultTable.Entry {
    /// The fault, its number, and how often it will still hit.
    var json: String { JSONWriter.object { $0.members(of: self) } }
}

extension [FaultTable.Entry] {
    /// `{"faults":[…]}`.
    var json: String {
        JSONWriter.object { writer in
            writer.member("faults", self) { $0.members(of: $1) }
        }
    }
}
