extension Payment {
    /// The payment as replies and the admin API show it (docs/contract.md#replies).
    package var json: JSONValue { .object(jsonMembers) }

    /// The members of `json`, for those who show more beside them.
    package var jsonMembers: [String: JSONValue] {
        [
            "amount": .integer(amount.minorUnits),
            "authorized_at": .optional(authorizedAt?.description),
            "bank": .object([
                "authorization_id": .optional(bank.authorizationID),
                "capture_id": .optional(bank.captureID),
                "refund_id": .optional(bank.refundID),
                "void_id": .optional(bank.voidID),
            ]),
            "captured_at": .optional(capturedAt?.description),
            "created_at": .string(createdAt.description),
            "currency": .string(amount.currency.rawValue),
            "customer_id": .string(customerID),
            "expires_at": .optional(expiresAt?.description),
            "id": .string(id.description),
            "merchant_id": .string(merchantID.description),
            "order_id": .string(orderID),
            "refunded_at": .optional(refundedAt?.description),
            "status": .string(status.rawValue),
            "voided_at": .optional(voidedAt?.description),
        ]
    }
}
