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
                .compactMap { payment in tables.place(of: payment, in: query.selection).map { (payment, at: $0) } }
                .filter { payment, at in
                    (query.merchantID ?? payment.merchantID) == payment.merchantID
                        && query.after.map { (at, payment.id) < ($0.at, $0.id) } ?? true
                }
                .sorted { ($0.at, $0.0.id) > ($1.at, $1.0.id) }
            let page = found.prefix(query.limit)
            var orphans: [PaymentID: PossibleOrphan] = [:]
            if query.selection == .possibleOrphans {
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
    /// Its time in the list; `nil` where it is not in it. Texts are compared byte by byte, as a database does.
    fileprivate func place(of payment: Payment, in selection: PaymentQuery.Selection) -> Timestamp? {
        switch selection {
        case .order(let id): id.utf8.elementsEqual(payment.orderID.utf8) ? payment.createdAt : nil
        case .customer(let id): id.utf8.elementsEqual(payment.customerID.utf8) ? payment.createdAt : nil
        case .possibleOrphans: orphans[payment.id]?.at
        }
    }
}
