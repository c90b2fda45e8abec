/// The body of a reply (docs/contract.md#replies).
package struct Reply: Hashable, Sendable {
    package let operation: OperationKind
    package let outcome: Outcome
    package let error: ReplyError?
    package let bankResponse: BankResponse?
    /// As it was when the outcome was decided.
    package let payment: Payment?
    package let paymentID: PaymentID?
    package let idempotencyKey: IdempotencyKey

    package enum Outcome: String, Sendable, CaseIterable {
        case succeeded, declined, rejected, unknown
    }

    package init(
        operation: OperationKind,
        outcome: Outcome,
        error: ReplyError? = nil,
        bankResponse: BankResponse? = nil,
        payment: Payment?,
        paymentID: PaymentID?,
        idempotencyKey: IdempotencyKey
    ) {
        self.operation = operation
        self.outcome = outcome
        self.error = error
        self.bankResponse = bankResponse
        self.payment = payment
        self.paymentID = paymentID
        self.idempotencyKey = idempotencyKey
    }

    /// A final reply follows one that is not.
    package var isFinal: Bool { outcome != .unknown }

    /// The canonical bytes: what is stored, and what is sent.
    package var encoded: [UInt8] {
        var writer = JSONWriter(capacity: 1_008)
        writer.beginObject()
        if let bankResponse {
            writer.name("bank_response")
            bankResponse.write(to: &writer)
        } else {
            writer.memberNull("bank_response")
        }
        if let error { writer.member("error", error.json) } else { writer.memberNull("error") }
        writer.member("final", isFinal)
        writer.member("idempotency_key", idempotencyKey.description)
        writer.member("operation", operation.rawValue)
        writer.member("outcome", outcome.rawValue)
        if let payment {
            writer.name("payment")
            payment.write(to: &writer)
        } else {
            writer.memberNull("payment")
        }
        if let paymentID { writer.member("payment_id", paymentID.value) } else { writer.memberNull("payment_id") }
        writer.endObject()
        return writer.bytes
    }
}

/// Who said no, and why.
package struct ReplyError: Hashable, Sendable {
    package let code: String
    package let message: String
    package let isRetryable: Bool
    package let source: Source

    package enum Source: String, Sendable {
        case bank, processor
    }

    package init(code: String, message: String, isRetryable: Bool, source: Source) {
        self.code = code
        self.message = message
        self.isRetryable = isRetryable
        self.source = source
    }

    /// - Parameters:
    ///   - code: one of ours.
    ///   - message: where the code alone does not say it.
    package init(_ code: RejectionCode, message: String? = nil) {
        self.init(
            code: code.rawValue,
            message: message ?? code.explanation,
            isRetryable: code.isRetryable,
            source: .processor
        )
    }

    package init(_ refusal: BankRefusal) {
        self.init(
            code: refusal.code,
            message: refusal.message,
            isRetryable: refusal.code == "insufficient_funds",
            source: .bank
        )
    }

    var json: JSONValue {
        .object([
            "code": .string(code), "message": .string(message), "retryable": .bool(isRetryable),
            "source": .string(source.rawValue),
        ])
    }
}

extension Payment {
    /// The payment as replies and the admin API show it (docs/contract.md#replies).
    package var json: JSONValue { .object(jsonMembers) }

    /// The members of `json`, for those who show more beside them.
    package var jsonMembers: [String: JSONValue] {
        var writer = JSONWriter(capacity: 640)
        write(to: &writer)
        guard case .object(let members)? = try? JSONParser.parse(writer.bytes) else {
            preconditionFailure("a payment is written as a JSON object")
        }
        return members
    }

    func write(to writer: inout JSONWriter) {
        writer.beginObject()
        writer.member("amount", amount.minorUnits)
        writer.member("authorized_at", optional: authorizedAt)
        writer.name("bank")
        bank.write(to: &writer)
        writer.member("captured_at", optional: capturedAt)
        writer.member("created_at", optional: createdAt)
        writer.member("currency", amount.currency.rawValue)
        writer.member("customer_id", customerID)
        writer.member("expires_at", optional: expiresAt)
        writer.member("id", id.value)
        writer.member("merchant_id", merchantID.description)
        writer.member("order_id", orderID)
        writer.member("refunded_at", optional: refundedAt)
        writer.member("status", status.rawValue)
        writer.member("voided_at", optional: voidedAt)
        writer.endObject()
    }
}

extension BankReferences {
    fileprivate func write(to writer: inout JSONWriter) {
        writer.beginObject()
        writer.member("authorization_id", optional: authorizationID)
        writer.member("capture_id", optional: captureID)
        writer.member("refund_id", optional: refundID)
        writer.member("void_id", optional: voidID)
        writer.endObject()
    }
}
