import Core

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
