import Crypto

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

/// Which queues a command may name for its replies: `^replies\.[A-Za-z0-9._-]{1,80}$`, or one that the broker has named itself,
/// `^amq\.gen-[A-Za-z0-9_-]{22}$`. So never one of our own, and none of the pseudo-queues `amq.rabbitmq.…`, which close the
/// connection when they are malformed.
package enum ReplyAddress {
    package static let prefix = "replies."
    /// Of a queue that was declared without a name.
    private static let generatedPrefix = "amq.gen-"

    /// The address where it is allowed, else `nil`: the default reply queue.
    package static func allowed(_ address: String?) -> String? {
        guard let address else { return nil }
        return isNamed(address) || isGenerated(address) ? address : nil
    }

    private static func isNamed(_ address: String) -> Bool {
        guard address.hasPrefix(prefix) else { return false }
        let name = address.utf8.dropFirst(prefix.utf8.count)
        return (1...80).contains(name.count) && name.allSatisfy { isWord($0) || $0 == UInt8(ascii: ".") }
    }

    private static func isGenerated(_ address: String) -> Bool {
        guard address.hasPrefix(generatedPrefix) else { return false }
        let name = address.utf8.dropFirst(generatedPrefix.utf8.count)
        return name.count == 22 && name.allSatisfy(isWord)
    }

    private static func isWord(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"), UInt8(ascii: "-"):
            true
        default: false
        }
    }
}

/// The property `content_encoding`, by what clients write into it: two of the most used libraries set the name of a character set.
package enum ContentEncoding {
    /// Whether the body is what it is, neither compressed nor in another character set.
    package static func isPlain(_ encoding: String?) -> Bool {
        guard let encoding = encoding?.lowercased() else { return true }
        return encoding.isEmpty || encoding == "identity" || isUTF8(encoding)
    }

    /// - Parameter name: in lower case.
    static func isUTF8(_ name: some StringProtocol) -> Bool {
        ["utf-8", "utf8", "utf_8", "csutf8"].contains { $0 == name }
    }
}

/// W3C trace context, level 1: `version-traceid-parentid-flags`.
package enum TraceParent {
    /// The header, when it is well-formed; a malformed one is ignored (docs/contract.md#commands).
    package static func wellFormed(_ text: String?) -> String? {
        guard var text, text.utf8.count == 55 else { return nil }
        let isWellFormed = text.withUTF8 { bytes in
            isHex(bytes[0..<2]) && isDash(bytes[2]) && isHex(bytes[3..<35]) && isDash(bytes[35])
                && isHex(bytes[36..<52]) && isDash(bytes[52]) && isHex(bytes[53..<55])
                && !bytes[0..<2].allSatisfy { $0 == UInt8(ascii: "f") } && !isZero(bytes[3..<35])
                && !isZero(bytes[36..<52])
        }
        return isWellFormed ? text : nil
    }

    /// The trace id of a well-formed header: 32 hexadecimal digits.
    package static func traceID(_ wellFormed: String) -> Substring {
        let start = wellFormed.utf8.index(wellFormed.startIndex, offsetBy: 3)
        return wellFormed[start..<wellFormed.utf8.index(start, offsetBy: 32)]
    }

    /// The same trace with a span of ours instead of the caller's, which is the parent of what we do.
    ///
    /// - Parameters:
    ///   - wellFormed: the caller's header.
    ///   - name: of the span: the same one gives the same span, so that what is sent again is the same.
    package static func continuing(_ wellFormed: String, as name: String) -> String {
        var span = Array(SHA256.hash(data: Array((wellFormed + name).utf8)).prefix(8))
        // All zeros are no span.
        span[7] |= span.allSatisfy { $0 == 0 } ? 1 : 0
        return "\(wellFormed.prefix(36))\(Hex.text(of: span))\(wellFormed.suffix(3))"
    }

    private static func isHex(_ bytes: Slice<UnsafeBufferPointer<UInt8>>) -> Bool {
        bytes.allSatisfy { byte in
            (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
                || (UInt8(ascii: "a")...UInt8(ascii: "f")).contains(byte)
        }
    }

    private static func isDash(_ byte: UInt8) -> Bool { byte == UInt8(ascii: "-") }

    private static func isZero(_ bytes: Slice<UnsafeBufferPointer<UInt8>>) -> Bool {
        bytes.allSatisfy { $0 == UInt8(ascii: "0") }
    }
}
