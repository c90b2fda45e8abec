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
