import Core
import Postgres

/// How a payment is read from its row.
enum PaymentRow {
    /// In the order in which `payment(from:)` reads them.
    static let columns = """
        id, merchant_id, order_id, customer_id, amount, currency, status, active_operation_id, version, \
        bank_authorization_id, bank_capture_id, bank_void_id, bank_refund_id, \
        created_at, authorized_at, expires_at, captured_at, voided_at, refunded_at
        """

    static func payment(from row: PostgresRow) throws(PostgresError) -> Payment {
        Payment(
            id: PaymentID(UniqueID(try row.uuid(0))),
            merchantID: MerchantID(verified: try row.text(1)),
            orderID: try row.text(2),
            customerID: try row.text(3),
            amount: Money(verified: try row.int64(4), currency: try row.parsed(5, Currency.init)),
            createdAt: Timestamp(microseconds: try row.timestamp(13)),
            status: try row.parsed(6, PaymentStatus.init),
            activeOperation: try row.optionalUUID(7).map { OperationID(UniqueID($0)) },
            version: try row.int64(8),
            bank: BankReferences(
                authorizationID: try row.optionalText(9),
                captureID: try row.optionalText(10),
                voidID: try row.optionalText(11),
                refundID: try row.optionalText(12)
            ),
            authorizedAt: try row.optionalInstant(14),
            expiresAt: try row.optionalInstant(15),
            capturedAt: try row.optionalInstant(16),
            voidedAt: try row.optionalInstant(17),
            refundedAt: try row.optionalInstant(18)
        )
    }
}

extension PostgresRow {
    func optionalInstant(_ column: Int) throws(PostgresError) -> Timestamp? {
        try optionalTimestamp(column).map(Timestamp.init(microseconds:))
    }
}
