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
