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
                .filter { payment in
                    query.selection.selects(payment) && (query.merchantID ?? payment.merchantID) == payment.merchantID
                        && query.after.map { payment.place < ($0.createdAt, $0.id) } ?? true
                }
                .sorted { $0.place > $1.place }
            let page = Array(found.prefix(query.limit))
            let next = found.count > page.count ? page.last.map { PageCursor(createdAt: $0.createdAt, id: $0.id) } : nil
            return PaymentPage(payments: page, next: next)
        }
    }
}

extension PaymentQuery.Selection {
    /// Byte by byte, as a database compares.
    fileprivate func selects(_ payment: Payment) -> Bool {
        switch self {
        case .order(let id): id.utf8.elementsEqual(payment.orderID.utf8)
        case .customer(let id): id.utf8.elementsEqual(payment.customerID.utf8)
        }
    }
}

extension Payment {
    fileprivate var place: (Timestamp, PaymentID) { (createdAt, id) }
}
