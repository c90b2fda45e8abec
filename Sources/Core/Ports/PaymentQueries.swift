/// What operators and upstream services ask about payments (docs/contract.md#admin-api).
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
    /// Whether its authorize may have left a second hold at the bank.
    package let orphan: PossibleOrphan?
    /// Every request to the bank that was answered, or whose time was over while its processor was there. Oldest first.
    package let attempts: [BankAttemptRecord]
    /// What operators did with dead letters of it. Oldest first.
    package let replays: [ReplayRecord]

    package init(
        payment: Payment,
        history: [HistoryEntry],
        operations: [Operation],
        orphan: PossibleOrphan? = nil,
        attempts: [BankAttemptRecord] = [],
        replays: [ReplayRecord] = []
    ) {
        self.payment = payment
        self.history = history
        self.operations = operations
        self.orphan = orphan
        self.attempts = attempts
        self.replays = replays
    }
}

/// A replay of a dead letter, as its audit has it.
package struct ReplayRecord: Hashable, Sendable {
    package let at: Timestamp
    package let deadLetterID: DeadLetterID
    package let actor: String
    /// `started`, `replayed` or `failed`.
    package let result: String

    package init(at: Timestamp, deadLetterID: DeadLetterID, actor: String, result: String) {
        self.at = at
        self.deadLetterID = deadLetterID
        self.actor = actor
        self.result = result
    }
}

/// Some of the payments, a page at a time.
package struct PaymentQuery: Hashable, Sendable {
    package let filter: PaymentFilter
    package let merchantID: MerchantID?
    /// 1–200.
    package let limit: Int
    /// Where the page before this one ended.
    package let after: PageCursor?

    package static let limits = 1...200

    package init(filter: PaymentFilter, merchantID: MerchantID?, limit: Int, after: PageCursor?) {
        self.filter = filter
        self.merchantID = merchantID
        self.limit = limit
        self.after = after
    }
}

/// A page, newest first. One with fewer payments than asked for, and even with none, may have a page after it: a store reads no more than
/// so many rows for one page, however few of them match.
package struct PaymentPage: Hashable, Sendable {
    package let payments: [Payment]
    /// `nil` on the last page.
    package let next: PageCursor?
    /// Of the possible orphans: how likely each is. Empty for other lists.
    package let orphans: [PaymentID: PossibleOrphan]

    package init(payments: [Payment], next: PageCursor?, orphans: [PaymentID: PossibleOrphan] = [:]) {
        self.payments = payments
        self.next = next
        self.orphans = orphans
    }
}

/// A place in a list that is ordered by a time, then id. Its text form is opaque to clients.
package struct PageCursor: Hashable, Sendable, LosslessStringConvertible {
    /// When the payment was created, or became a possible orphan.
    package let at: Timestamp
    package let id: PaymentID

    package init(at: Timestamp, id: PaymentID) {
        self.at = at
        self.id = id
    }

    package init?(_ description: String) {
        let parts = description.split(separator: ".", omittingEmptySubsequences: false)
        guard parts.count == 2, let microseconds = Int64(parts[0]), Self.times.contains(microseconds),
            let id = UniqueID(parts[1])
        else { return nil }
        self.init(at: Timestamp(microseconds: microseconds), id: PaymentID(id))
    }

    package var description: String { "\(at.microseconds).\(id)" }

    /// 1970 to 9999: beyond that no store can compute with what a client made up.
    private static let times: ClosedRange<Int64> = 0...253_402_300_799_999_999
}

/// Which payments a list is of: those that meet all of what is given.
package struct PaymentFilter: Hashable, Sendable {
    package var orderID: String?
    package var customerID: String?
    package var status: PaymentStatus?
    /// Of one of its operations, of any merchant where the query names none.
    package var idempotencyKey: IdempotencyKey?
    /// An authorization, capture, void or refund at the bank.
    package var bankID: String?
    /// Of the message that has begun one of its operations, of a command that waits on a retry tier, or of a dead letter.
    package var messageID: String?
    /// Created then or later.
    package var since: Timestamp?
    /// Created before then.
    package var until: Timestamp?
    /// Only those that may have left a second hold at the bank; their list is in the order in which that was found out.
    package var isPossibleOrphans = false

    package init() {}

    package static func order(_ id: String) -> PaymentFilter {
        var filter = PaymentFilter()
        filter.orderID = id
        return filter
    }

    package static func customer(_ id: String) -> PaymentFilter {
        var filter = PaymentFilter()
        filter.customerID = id
        return filter
    }

    package static var possibleOrphans: PaymentFilter {
        var filter = PaymentFilter()
        filter.isPossibleOrphans = true
        return filter
    }

    /// Whether a payment meets what its own row tells. Texts are compared byte by byte, as a database does.
    package func matches(_ payment: Payment) -> Bool {
        Self.isSame(orderID, payment.orderID) && Self.isSame(customerID, payment.customerID)
            && (status ?? payment.status) == payment.status
            && (since ?? payment.createdAt) <= payment.createdAt
            && (until.map { payment.createdAt < $0 } ?? true)
    }

    private static func isSame(_ wanted: String?, _ text: String) -> Bool {
        wanted.map { $0.utf8.elementsEqual(text.utf8) } ?? true
    }
}

/// All payments, one page after the other, for who has to check each.
package protocol PaymentLedger: Sendable {
    /// In the order of their ids.
    ///
    /// - Parameters:
    ///   - last: the last one of the page before.
    ///   - since: only those that were opened then or later.
    ///   - limit: the size of the page.
    func page(
        after last: PaymentID?,
        since: Timestamp?,
        limit: Int
    ) async throws(StoreError) -> [LedgerPayment]
}

/// A payment as the comparison of ledgers needs it.
package struct LedgerPayment: Hashable, Sendable {
    package let payment: Payment
    /// Whether its authorize may have left a second hold at the bank.
    package let orphan: PossibleOrphan?

    package init(_ payment: Payment, orphan: PossibleOrphan? = nil) {
        self.payment = payment
        self.orphan = orphan
    }
}
