package import Core

extension InMemoryPaymentStore: PaymentQueries {
    package func payment(_ id: PaymentID) async throws(StoreError) -> PaymentView? {
        try await read { tables in
            tables.payments[id].map { tables.view($0) }
        }
    }

    package func payments(_ query: PaymentQuery) async throws(StoreError) -> PaymentPage {
        try await read { tables in
            let found = tables.payments.values
                .compactMap { payment in tables.place(of: payment, in: query).map { (payment, at: $0) } }
                .filter { payment, at in
                    (query.merchantID ?? payment.merchantID) == payment.merchantID
                        && query.after.map { (at, payment.id) < ($0.at, $0.id) } ?? true
                }
                .sorted { ($0.at, $0.0.id) > ($1.at, $1.0.id) }
            let page = found.prefix(query.limit)
            var orphans: [PaymentID: PossibleOrphan] = [:]
            if query.filter.isPossibleOrphans {
                for (payment, _) in page { orphans[payment.id] = tables.orphans[payment.id]?.grade }
            }
            return PaymentPage(
                payments: page.map(\.0),
                next: found.count > page.count ? page.last.map { PageCursor(at: $0.at, id: $0.0.id) } : nil,
                orphans: orphans
            )
        }
    }
}

extension StoreTables {
    /// Its time in the list; `nil` where it is not in it.
    fileprivate func place(of payment: Payment, in query: PaymentQuery) -> Timestamp? {
        let filter = query.filter
        guard filter.matches(payment) else { return nil }
        if let key = filter.idempotencyKey {
            let hasKey = operations(of: payment.id).contains {
                $0.idempotencyKey == key && (query.merchantID ?? $0.merchantID) == $0.merchantID
            }
            guard hasKey else { return nil }
        }
        if let id = filter.bankID, owner(ofBankID: id) != payment.id { return nil }
        if let id = filter.messageID, !isKnown(id, of: payment.id) { return nil }
        return filter.isPossibleOrphans ? orphans[payment.id]?.at : payment.createdAt
    }

    private func isKnown(_ messageID: String, of payment: PaymentID) -> Bool {
        waiting.line(of: payment).contains { $0.messageID.utf8.elementsEqual(messageID.utf8) }
            || deadLetters.contains(messageID, of: payment)
            || operations(of: payment).contains { messages[$0.id]?.utf8.elementsEqual(messageID.utf8) ?? false }
    }
}
