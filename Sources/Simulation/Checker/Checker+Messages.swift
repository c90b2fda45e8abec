import Core

extension Checker {
    /// What was confirmed has come to something (docs/correctness.md#nothing-is-lost).
    mutating func checkMessages() {
        let replies = Dictionary(grouping: evidence.replies, by: \.correlationID)
        let waiting = Set(
            evidence.rows.operations.filter { $0.state == .needsAttention }.map {
                MerchantKey($0.merchantID.description, $0.idempotencyKey.description)
            }
        )
        for intent in evidence.sent {
            let own = replies[intent.id] ?? []
            let isDeadLetter = evidence.openDeadLetterList.contains(intent.id)
            let hasFinal = own.contains(where: \.isFinal)
            switch intent.sort {
            case .unanswerable:
                expect(own.isEmpty, .nothingIsLost, nil, "\(intent.id) cannot be answered, and was")
                if evidence.confirmed.contains(intent.id), !evidence.forgotten.deadLetters.contains(intent.id) {
                    expect(isDeadLetter, .nothingIsLost, nil, "\(intent.id) cannot be answered, and is no dead letter")
                }
            case .command, .invalid:
                guard evidence.confirmed.contains(intent.id) else { continue }
                // One dead letter is kept for all the messages of a key that needs attention.
                let hasWord = !own.isEmpty || evidence.openDeadLetterKeys.contains(intent.key)
                let isWaiting = hasWord && waiting.contains(MerchantKey(intent.merchant, intent.key))
                // A dead letter that a database has lost with its last commits is nowhere else.
                let isForgotten =
                    evidence.forgotten.deadLetters.contains { $0 == intent.id || $0 == intent.key }
                    || evidence.forgotten.awaited.contains(intent.id)
                let holds =
                    hasFinal || isDeadLetter || isWaiting || isForgotten || evidence.returned.contains(intent.id)
                expect(
                    holds,
                    .nothingIsLost,
                    PaymentID(intent.payment),
                    "\(intent.key) as \(intent.id): confirmed, and nothing came of it"
                )
            }
        }
    }

    /// What waits for manual review is marked as such, where an operator looks (docs/correctness.md#everything-drains).
    mutating func checkAttention() {
        for operation in evidence.rows.operations where operation.state == .needsAttention {
            if evidence.forgotten.deadLetters.contains(operation.idempotencyKey.description) { continue }
            expect(
                evidence.openDeadLetterKeys.contains(operation.idempotencyKey.description),
                .drains,
                operation.paymentID,
                "\(operation.name) needs manual review, and no dead letter says so"
            )
        }
    }

    /// For each key of each merchant: docs/correctness.md#same-key-same-reply,
    /// docs/correctness.md#outcomes-are-reported.
    mutating func checkKeys() {
        let intents = Dictionary(grouping: evidence.sent) { MerchantKey($0.merchant, $0.key) }
        let byID = Dictionary(evidence.sent.map { ($0.id, $0) }) { first, _ in first }
        let replies = Dictionary(grouping: evidence.replies.filter { byID[$0.correlationID] != nil }) { reply in
            MerchantKey(byID[reply.correlationID]?.merchant ?? "", byID[reply.correlationID]?.key ?? "")
        }
        let operations = Dictionary(
            evidence.rows.operations.map {
                (MerchantKey($0.merchantID.description, $0.idempotencyKey.description), $0)
            }
        ) { first, _ in first }
        // Of what a store has forgotten, only what it holds in the end is held against it.
        for key in intents.keys.sorted() where !evidence.forgotten.keys.contains(key.key) {
            let stored = (replies[key] ?? []).filter(\.isStored)
            let payment = (intents[key]?.first?.payment).flatMap { PaymentID($0) }
            let bodies = Set(stored.map(\.message.body))
            expect(bodies.count <= 1, .sameReply, payment, "\(key.key) has \(bodies.count) different outcomes")
            let meanings = Set(stored.compactMap { byID[$0.correlationID]?.meaning })
            expect(
                meanings.count <= 1,
                .sameReply,
                payment,
                "\(key.key) answers \(meanings.count) different commands alike"
            )
            let firsts = stored.count(where: \.isFirst)
            expect(firsts <= 1, .sameReply, payment, "\(key.key) was said to be no replay \(firsts) times")
            guard let operation = operations[key] else {
                expect(stored.isEmpty, .outcomesAreReported, payment, "\(key.key) was answered, and nothing is stored")
                continue
            }
            guard let reply = operation.reply else {
                expect(stored.isEmpty, .outcomesAreReported, payment, "\(key.key) is open, and was answered")
                continue
            }
            expect(
                stored.allSatisfy { $0.message.body == reply },
                .sameReply,
                payment,
                "\(key.key) was answered otherwise than is stored"
            )
            expect(
                !stored.isEmpty || evidence.rows.undeliverable.contains(operation.id),
                .outcomesAreReported,
                payment,
                "nobody was notified how \(key.key) ended"
            )
        }
    }
}

/// An idempotency key belongs to a merchant.
private struct MerchantKey: Hashable, Comparable {
    let merchant: String
    let key: String

    init(_ merchant: String, _ key: String) {
        self.merchant = merchant
        self.key = key
    }

    static func < (left: MerchantKey, right: MerchantKey) -> Bool {
        (left.merchant, left.key) < (right.merchant, right.key)
    }
}

extension Checker {
    /// Whatever the store has forgotten, and however often its clients repeat themselves, there is no second effect
    /// under a key that the bank remembers, and no hold that no payment knows of.
    mutating func checkMemory() {
        let excused = evidence.lostKeys.union(evidence.overlappedKeys)
        let effects = Dictionary(grouping: evidence.ledger) { "\($0.operation.rawValue) \($0.idempotencyKey)" }
        for (key, entries) in effects.sorted(by: { $0.key < $1.key }) {
            let isExcused = entries.first.map { excused.contains($0.idempotencyKey) } ?? false
            expect(entries.count == 1 || isExcused, .forgetsSafely, nil, "\(key) took effect \(entries.count) times")
        }
        guard evidence.isAskedAgain else { return }
        let known = Set(evidence.rows.views.compactMap(\.payment.bank.authorizationID))
        let operations = Dictionary(grouping: evidence.rows.operations, by: \.bankKey)
        let contested = contestedKeys
        for hold in evidence.ledger where hold.operation == .authorize && !known.contains(hold.id) {
            let key = hold.idempotencyKey
            if excused.contains(key) || contested.contains(key) || operations[key] != nil { continue }
            expect(false, .forgetsSafely, nil, "the hold \(hold.id) under \(key) is known to no payment")
        }
    }

    /// The bank keys of authorizes that compete for one payment id: when the store forgets which came first, another one may.
    private var contestedKeys: Set<String> {
        let keys = evidence.sent.filter { $0.sort == .command }.compactMap {
            intent -> (payment: String, key: String)? in
            guard case .command(let command) = CommandDecoder().decode(intent.message), command.kind == .authorize
            else { return nil }
            return (intent.payment, command.bankKey)
        }
        return Dictionary(grouping: keys, by: \.payment).values.reduce(into: []) { contested, own in
            let keys = Set(own.map(\.key))
            if keys.count > 1 { contested.formUnion(keys) }
        }
    }

    /// docs/correctness.md#overtaking, docs/correctness.md#starting-in-an-outage, docs/correctness.md#cut-calls.
    mutating func checkOrder() {
        for overtaking in evidence.order where !evidence.forgotten.payments.contains(overtaking.payment) {
            expect(false, .keepsOrder, overtaking.payment, overtaking.text)
        }
        let cuts = evidence.earlyCuts
        expect(cuts == 0, .cutsNoCall, nil, "\(cuts) calls were cut while the bank may still have been at them")
        for stranger in evidence.strangers { expect(false, .sharesEvenOut, nil, stranger) }
        for rush in evidence.rushes { expect(false, .startsCarefully, nil, rush) }
    }
}
