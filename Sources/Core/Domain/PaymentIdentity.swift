/// What is fixed when a payment is created. One object, whoever holds a copy of the payment: copying it costs one reference.
package final class PaymentIdentity: Hashable, Sendable {
    package let id: PaymentID
    package let merchantID: MerchantID
    package let orderID: String
    package let customerID: String
    package let amount: Money
    package let createdAt: Timestamp

    package init(
        id: PaymentID,
        merchantID: MerchantID,
        orderID: String,
        customerID: String,
        amount: Money,
        createdAt: Timestamp
    ) {
        self.id = id
        self.merchantID = merchantID
        self.orderID = orderID
        self.customerID = customerID
        self.amount = amount
        self.createdAt = createdAt
    }

    package static func == (left: PaymentIdentity, right: PaymentIdentity) -> Bool {
        left === right
            || left.id == right.id && left.merchantID == right.merchantID && left.orderID == right.orderID
                && left.customerID == right.customerID && left.amount == right.amount
                && left.createdAt == right.createdAt
    }

    package func hash(into hasher: inout Hasher) {
        hasher.combine(id)
    }
}
