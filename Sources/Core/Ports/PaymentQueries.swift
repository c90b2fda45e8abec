/// What operators and upstream services ask about payments (contract.md §7).
package protocol PaymentQueries: Sendable {
    func payment(_ id: PaymentID) async throws(StoreError) -> PaymentView?

    func payments(_ query: PaymentQuery) async throws(StoreError) -> PaymentPage
}

/// A payment with all that happened to it.
package struct PaymentView: Hashable, Sendable {
    package let payment: Payment
    /// Oldest first.
    package let history: [HistoryEntry]
    /// Oldest first.
    package let operations: [Operation]

    package init(payment: Payment, history: [HistoryEntry], operations: [Operation]) {
        self.payment = payment
        self.history = history
        self.operations = operations
    }
}

/// The payments of one order or one customer.
package struct PaymentQuery: Hashable, Sendable {
    package enum Selection: Hashable, Sendable {
        case order(String)
        case customer(String)
    }

    package let selection: Selection
    package let merchantID: MerchantID?
    /// 1–200.
    package let limit: Int
    /// Where the page before this one ended.
    package let after: PageCursor?

    package static let limits = 1...200

    package init(selection: Selection, merchantID: MerchantID?, limit: Int, after: PageCursor?) {
        self.selection = selection
        self.merchantID = merchantID
        self.limit = limit
        self.after = after
    }
}

/// A page, newest first.
package struct PaymentPage: Hashable, Sendable {
    package let payments: [Payment]
    /// `nil` on the last page.
    package let next: PageCursor?

    package init(payments: [Payment], next: PageCursor?) {
        self.payments = payments
        self.next = next
    }
}

/// A place in a list that is ordered by creation time, then id. Its text form is opaque to clients.
package struct PageCursor: Hashable, Sendable, LosslessStringConvertible {
    package let createdAt: Timestamp
    package let id: PaymentID

    package init(createdAt: Timestamp, id: PaymentID) {
        self.createdAt = createdAt
        self.id = id
    }

    package init?(_ description: String) {
        let parts = description.split(separator: ".", omittingEmptySubsequences: false)
        guard parts.count == 2, let microseconds = Int64(parts[0]), Self.times.contains(microseconds),
            let id = UniqueID(parts[1])
        else { return nil }
        self.init(createdAt: Timestamp(microseconds: microseconds), id: PaymentID(id))
    }

    package var description: String { "\(createdAt.microseconds).\(id)" }

    /// 1970 to 9999: beyond that no store can compute with what a client made up.
    private static let times: ClosedRange<Int64> = 0...253_402_300_799_999_999
}
