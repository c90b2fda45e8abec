import Core

/// The rows of dead letters, and the rules that the schema's constraints hold.
struct DeadLetterTables {
    private(set) var letters: [DeadLetterID: DeadLetter] = [:]
    private(set) var audit: [DeadLetterID: [DeadLetterAuditEntry]] = [:]
    private var instances: Set<FailureInstance> = []
    private var returns: [String: [FailureInstance]] = [:]

    /// - Returns: false where there is a row of this failure.
    mutating func insert(_ letter: DeadLetter) throws(StoreError) -> Bool {
        guard instances.insert(letter.instance).inserted else { return false }
        guard letters[letter.id] == nil else { throw StoreError(.refused, detail: "23505") }
        let origin = letter.replayOf.flatMap { letters[$0]?.id }
        letters[letter.id] = DeadLetter(
            id: letter.id,
            instance: letter.instance,
            failure: letter.failure,
            command: letter.command,
            content: letter.content,
            replayOf: origin
        )
        return true
    }

    /// As it is at that moment.
    func letter(_ id: DeadLetterID, at now: Timestamp) -> DeadLetter? { letters[id]?.seen(at: now) }

    mutating func update(_ letter: DeadLetter, at now: Timestamp) throws(StoreError) {
        guard let before = self.letter(letter.id, at: now),
            before.state == letter.state || before.state.mayBecome(letter.state)
        else {
            throw StoreError(.refused, detail: "23514")
        }
        letters[letter.id] = letter
    }

    /// `nil` where it is claimed by another one, or by none.
    func claimed(_ id: DeadLetterID, by claim: ReplayClaim) -> DeadLetter? {
        letters[id].flatMap { $0.isClaimed(by: claim) ? $0 : nil }
    }

    mutating func put(_ letter: DeadLetter) { letters[letter.id] = letter }

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
        letters.values.contains { letter in
            letter.command.paymentID == payment
                && letter.content.message.messageID?.utf8.elementsEqual(messageID.utf8) ?? false
        }
    }

    /// Oldest first.
    func replays(of payment: PaymentID) -> [ReplayRecord] {
        var replays: [ReplayRecord] = []
        for letter in letters.values where letter.command.paymentID == payment {
            for entry in audit[letter.id] ?? [] where entry.action == "replay" {
                replays.append(
                    ReplayRecord(at: entry.at, deadLetterID: letter.id, actor: entry.actor, result: entry.result)
                )
            }
        }
        return replays.sorted { ($0.at, $0.deadLetterID) < ($1.at, $1.deadLetterID) }
    }

    func sorted(at now: Timestamp, _ isIncluded: (DeadLetter) -> Bool) -> [DeadLetter] {
        letters.values.map { $0.seen(at: now) }.filter(isIncluded)
            .sorted { ($0.failure.at, $0.id) < ($1.failure.at, $1.id) }
    }
}
