/// The properties and headers of a command, one rule each (docs/contract.md#commands).
enum EnvelopeDecoder {
    static func idempotencyKey(_ message: Message) throws(InvalidField) -> IdempotencyKey {
        let text = try requiredString(message, HeaderName.idempotencyKey)
        guard let key = IdempotencyKey(text) else {
            throw InvalidField(
                HeaderName.idempotencyKey,
                "must have 1 to 255 characters, none of them a control character"
            )
        }
        return key
    }

    static func paymentID(_ message: Message) throws(InvalidField) -> PaymentID {
        guard let id = PaymentID(try requiredString(message, HeaderName.paymentID)) else {
            throw InvalidField(HeaderName.paymentID, "must be a UUID such as 123e4567-e89b-12d3-a456-426614174000")
        }
        return id
    }

    static func merchantID(_ message: Message) throws(InvalidField) -> MerchantID {
        guard let text = try optionalString(message, HeaderName.merchantID) else { return .default }
        guard let id = MerchantID(text) else {
            throw InvalidField(HeaderName.merchantID, "must be 1 to 64 characters of A-Z a-z 0-9 . _ -")
        }
        return id
    }

    static func messageID(_ message: Message) throws(InvalidField) -> String {
        guard let id = message.messageID else { throw missing(.messageID, message) }
        guard TextRule.holds(id, length: 1...128) else {
            throw InvalidField("message_id", "must have 1 to 128 characters, none of them a control character")
        }
        return id
    }

    static func deadline(_ message: Message) throws(InvalidField) -> Timestamp? {
        guard let text = try optionalString(message, HeaderName.deadline) else { return nil }
        guard let deadline = Timestamp(text) else {
            throw InvalidField(HeaderName.deadline, "must be an RFC 3339 instant such as 2030-01-31T12:00:00Z")
        }
        return deadline
    }

    /// - Returns: what to say of a property that is not there as a text.
    static func missing(_ property: Message.Property, _ message: Message) -> InvalidField {
        InvalidField(property.rawValue, message.unreadable.contains(property) ? "is not UTF-8" : "is missing")
    }

    static func checkProperties(_ message: Message) throws(InvalidField) {
        if !message.unreadable.isEmpty {
            for property in Message.Property.allCases where message.unreadable.contains(property) {
                throw missing(property, message)
            }
        }
        if !ContentEncoding.isPlain(message.contentEncoding) {
            throw InvalidField("content_encoding", "must be absent, identity or utf-8")
        }
        if let type = message.contentType, !isJSON(type) {
            throw InvalidField("content_type", "must be absent or application/json in UTF-8")
        }
    }

    /// Never fails: a way back that is not allowed is replaced by the default reply queue.
    static func route(_ message: Message) -> ReplyRoute {
        let replyTo = ReplyAddress.allowed(message.replyTo)
        return ReplyRoute(
            replyTo: replyTo,
            correlationID: message.correlationID ?? (try? messageID(message)).map { CorrelationID($0) },
            traceparent: TraceParent.wellFormed(message.headers[HeaderName.traceparent]?.string),
            isReplyToIgnored: replyTo == nil && (message.replyTo != nil || message.unreadable.contains(.replyTo))
        )
    }

    private static func requiredString(_ message: Message, _ name: String) throws(InvalidField) -> String {
        guard let text = try optionalString(message, name) else { throw InvalidField(name, "is missing") }
        return text
    }

    private static func optionalString(_ message: Message, _ name: String) throws(InvalidField) -> String? {
        guard let value = message.headers[name] else { return nil }
        guard let text = value.string else { throw InvalidField(name, "must be a string header") }
        return text
    }

    /// `application/json`, perhaps with `charset=utf-8`; case does not matter, nor does white space around the parts.
    private static func isJSON(_ contentType: String) -> Bool {
        if contentType == "application/json" { return true }
        let parts = contentType.lowercased().split(separator: ";", omittingEmptySubsequences: false).map { part in
            String(part.drop { $0 == " " }.reversed().drop { $0 == " " }.reversed())
        }
        guard parts[0] == "application/json" || parts[0].isEmpty && parts.count == 1 else { return false }
        return parts.dropFirst().allSatisfy { parameter in
            guard !parameter.isEmpty else { return true }
            guard parameter.hasPrefix("charset=") else { return false }
            var charset = parameter.dropFirst("charset=".count)
            if charset.count >= 2, charset.hasPrefix("\""), charset.hasSuffix("\"") {
                charset = charset.dropFirst().dropLast()
            }
            return ContentEncoding.isUTF8(charset)
        }
    }
}
