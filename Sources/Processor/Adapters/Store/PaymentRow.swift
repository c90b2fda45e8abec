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

/// How an operation is read from its row.
enum OperationRow {
    /// In the order in which `operation(from:at:)` reads them, each of the table `o`.
    static let columns = """
        o.id, o.merchant_id, o.idempotency_key, o.kind, o.payment_id, o.fingerprint, o.bank_key, o.reply_to, \
        o.correlation_id, o.traceparent, o.origin, o.created_at, o.first_sent_at, o.state, o.fencing_token, o.lease_until, \
        o.claim_token, o.attempts, o.ambiguous_sends, o.last_error, o.reply, o.notified_at IS NOT NULL, o.failed_sends, \
        o.failed_fencing_token, o.correlation_bytes, o.reply_to_ignored, o.events_due, \
        o.fingerprint_secret
        """

    /// How many they are.
    static let count = 28

    /// - Parameter start: the position of the first column.
    static func operation(from row: PostgresRow, at start: Int = 0) throws(PostgresError) -> Operation {
        Operation(
            id: OperationID(UniqueID(try row.uuid(start))),
            merchantID: MerchantID(verified: try row.text(start + 1)),
            idempotencyKey: IdempotencyKey(verified: try row.text(start + 2)),
            kind: try row.parsed(start + 3, OperationKind.init(rawValue:)),
            paymentID: PaymentID(UniqueID(try row.uuid(start + 4))),
            fingerprint: Fingerprint(
                bytes: try row.bytes(start + 5),
                secretID: try row.optionalInt64(start + 27).map(FingerprintSecretID.init)
            ),
            bankKey: try row.text(start + 6),
            route: ReplyRoute(
                replyTo: try row.optionalText(start + 7),
                correlationID: try .from(row, text: start + 8, bytes: start + 24),
                traceparent: try row.optionalText(start + 9),
                isReplyToIgnored: try row.bool(start + 25)
            ),
            createdAt: Timestamp(microseconds: try row.timestamp(start + 11)),
            origin: try row.isNull(start + 10) ? nil : try row.parsed(start + 10, PaymentStatus.init),
            firstSentAt: try row.optionalInstant(start + 12),
            state: try row.parsed(start + 13, OperationState.init),
            fencingToken: try row.int64(start + 14),
            leaseUntil: Timestamp(microseconds: try row.timestamp(start + 15)),
            claimToken: ClaimToken(UniqueID(try row.uuid(start + 16))),
            attempts: Int(try row.int32(start + 17)),
            sends: EarlierSends(
                unanswered: Int(try row.int32(start + 18)),
                failed: Int(try row.int32(start + 22))
            ),
            failedFencingToken: try row.optionalInt64(start + 23),
            lastError: try row.optionalText(start + 19),
            reply: try row.optionalBytes(start + 20),
            isNotified: try row.bool(start + 21),
            areEventsDue: try row.bool(start + 26)
        )
    }
}

extension CorrelationID {
    /// For the text column: UTF-8 without a NUL, which PostgreSQL cannot hold; `nil` for what goes into the column of bytes.
    var textColumn: String? {
        guard let text, !text.utf8.contains(0) else { return nil }
        return text
    }

    /// For the column of bytes: what the text column cannot hold.
    var bytesColumn: [UInt8]? { textColumn == nil ? bytes : nil }

    /// From the two columns of a row.
    static func from(
        _ row: PostgresRow,
        text: Int,
        bytes: Int
    ) throws(PostgresError) -> CorrelationID? {
        if let text = try row.optionalText(text) { return CorrelationID(text) }
        return try row.optionalBytes(bytes).map(CorrelationID.init(bytes:))
    }
}
