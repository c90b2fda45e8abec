import Core

/// The rows of dead letters, and the rules that the schema's constraints hold.
struct DeadLetterTables {
    private(set) var rows: [DeadLetterID: DeadLetter] = [:]
    /// When each came in.
    private(set) var keptSince: [DeadLetterID: Timestamp] = [:]
    private(set) var audit: [DeadLetterID: [DeadLetterAuditEntry]] = [:]
    private var instances: Set<FailureInstance> = []
    private var returns: [String: [FailureInstance]] = [:]

    /// - Returns: false where there is a row of this failure.
    mutating func insert(_ deadLetter: DeadLetter, at now: Timestamp) throws(StoreError) -> Bool {
        guard instances.insert(deadLetter.instance).inserted else { return false }
        guard rows[deadLetter.id] == nil else { throw StoreError(.refused, detail: "23505") }
        keptSince[deadLetter.id] = now
        let origin = deadLetter.replayOf.flatMap { rows[$0]?.id }
        rows[deadLetter.id] = DeadLetter(
            id: deadLetter.id,
            instance: deadLetter.instance,
            failure: deadLetter.failure,
            command: deadLetter.command,
            content: deadLetter.content,
            replayOf: origin
        )
        return true
    }

    /// As it is at that moment.
    func deadLetter(_ id: DeadLetterID, at now: Timestamp) -> DeadLetter? { rows[id]?.seen(at: now) }

    mutating func update(_ deadLetter: DeadLetter, at now: Timestamp) throws(StoreError) {
        guard let before = self.deadLetter(deadLetter.id, at: now),
            before.state == deadLetter.state || before.state.mayBecome(deadLetter.state)
        else {
            throw StoreError(.refused, detail: "23514")
        }
        rows[deadLetter.id] = deadLetter
    }

    /// `nil` where it is claimed by another one, or by none.
    func claimed(_ id: DeadLetterID, by claim: ReplayClaim) -> DeadLetter? {
        rows[id].flatMap { $0.isClaimed(by: claim) ? $0 : nil }
    }

    mutating func put(_ deadLetter: DeadLetter) { rows[deadLetter.id] = deadLetter }

    mutating func add(_ entry: DeadLetterAuditEntry, to id: DeadLetterID) {
        audit[id, default: []].append(entry)
    }

    /// How often the message has been sent back, this failure included; `nil` where it may not be any more.
    mutating func countReturn(of message: String, _ instance: FailureInstance, limit: Int) -> Int? {
        var known = returns[message] ?? []
        if !known.contains(instance) {
            guard known.count < limit else { return nil }
            known.append(instance)
            returns[message] = known
        }
        return known.count
    }

    func contains(_ messageID: String, of payment: PaymentID) -> Bool {
        rows.values.contains { deadLetter in
            deadLetter.command.paymentID == payment
                && deadLetter.content.message.messageID?.utf8.elementsEqual(messageID.utf8) ?? false
        }
    }

    /// Oldest first.
    func replays(of payment: PaymentID) -> [ReplayRecord] {
        var replays: [ReplayRecord] = []
        for deadLetter in rows.values where deadLetter.command.paymentID == payment {
            for entry in audit[deadLetter.id] ?? [] where entry.action == "replay" {
                replays.append(
                    ReplayRecord(at: entry.at, deadLetterID: deadLetter.id, actor: entry.actor, result: entry.result)
                )
            }
        }
        return replays.sorted { ($0.at, $0.deadLetterID) < ($1.at, $1.deadLetterID) }
    }

    func sorted(at now: Timestamp, _ isIncluded: (DeadLetter) -> Bool) -> [DeadLetter] {
        rows.values.map { $0.seen(at: now) }.filter(isIncluded)
            .sorted { ($0.failure.at, $0.id) < ($1.failure.at, $1.id) }
    }
}

/// Replays and their lists.
struct ReplayTable {
    struct Item {
        let deadLetter: DeadLetterID
        var result: ReplayResult?
        var reason: String?
    }

    struct Row {
        var run: ReplayRun
        var items: [Item]
        var leaseUntil: Timestamp?
        var isToStop = false

        /// Whether a process is at it.
        func isTaken(at now: Timestamp) -> Bool { leaseUntil.map { $0 > now } ?? false }
    }

    private(set) var rows: [ReplayID: Row] = [:]

    mutating func put(_ row: Row) { rows[row.run.id] = row }

    func sorted() -> [ReplayRun] {
        rows.values.map(\.run).sorted { ($0.createdAt, $0.id.value) < ($1.createdAt, $1.id.value) }
    }
}
