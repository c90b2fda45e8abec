/// Something that became of a payment, told to whoever listens (docs/contract.md#events).
///
/// All that an event says is taken from what is stored, so that telling it again tells the same, under the same message id.
package struct PaymentEvent: Hashable, Sendable {
    package enum Name: String, Sendable, CaseIterable {
        case authorized, captured, voided, refunded, declined, expired
        case needsAttention = "needs_attention"

        package var routingKey: String { "payment.\(rawValue)" }
        package var type: String { "payment.\(rawValue).v1" }
    }

    package let name: Name
    package let message: Message

    /// The events of an operation that has succeeded or was declined: from its stored reply, whose payment they show.
    package static func of(_ operation: Operation) -> [PaymentEvent] {
        guard let reply = operation.reply, let payment = ShownPayment(in: reply) else { return [] }
        switch operation.state {
        case .succeeded:
            let name = operation.kind.succeededEvent
            let at = payment.instant(operation.kind.succeededField) ?? operation.attemptedAt
            return [PaymentEvent(name, operation, payment, at: at)]
        case .declined where payment.status == PaymentStatus.expired.rawValue && operation.kind == .capture:
            let at = payment.instant("expires_at") ?? operation.attemptedAt
            return [
                PaymentEvent(.declined, operation, payment, at: operation.attemptedAt),
                PaymentEvent(.expired, operation, payment, at: at),
            ]
        case .declined:
            return [PaymentEvent(.declined, operation, payment, at: operation.attemptedAt)]
        case .sent, .unknown, .rejected, .needsAttention:
            return []
        }
    }

    /// The event of an operation that needs manual review. One that was replayed may need manual review again, which is
    /// another event: the fencing token distinguishes the two.
    ///
    /// - Parameters:
    ///   - operation: in `NEEDS_ATTENTION`.
    ///   - reply: the provisional one, which shows the payment.
    package static func attention(_ operation: Operation, _ reply: [UInt8]) -> [PaymentEvent] {
        guard operation.state == .needsAttention, let payment = ShownPayment(in: reply) else { return [] }
        return [
            PaymentEvent(
                .needsAttention,
                operation,
                payment,
                instance: "\(operation.id)-\(operation.fencingToken)",
                at: operation.attemptedAt
            )
        ]
    }

    /// - Parameter instance: names it among the events of that name; `nil` where an operation has one at most.
    private init(
        _ name: Name,
        _ operation: Operation,
        _ payment: ShownPayment,
        instance: String? = nil,
        at: String
    ) {
        self.init(
            name,
            operation.kind,
            instance: instance ?? operation.id.description,
            paymentID: operation.paymentID,
            merchantID: operation.merchantID,
            traceparent: operation.route.traceparent,
            tail: payment.bytes,
            // Clocks differ: the bank's and that of the process may be behind the one that says when the payment was created.
            at: max(at, payment.instant("created_at") ?? at)
        )
    }

    /// The expiry that the sweep has proven.
    ///
    /// - Parameters:
    ///   - payment: as it is from now on.
    ///   - operation: the authorize that made the authorization.
    package init(expired payment: Payment, operation: OperationID) {
        let shown = JSONValue.object(["payment": payment.json, "payment_id": .string(payment.id.description)]).encoded
        self.init(
            .expired,
            .authorize,
            instance: operation.description,
            paymentID: payment.id,
            merchantID: payment.merchantID,
            traceparent: nil,
            tail: [UInt8(ascii: ",")] + shown.dropFirst(),
            at: max(payment.expiresAt ?? payment.createdAt, payment.createdAt).description
        )
    }

    /// - Parameter tail: `,"payment":{…},"payment_id":"…"}`.
    private init(
        _ name: Name,
        _ kind: OperationKind,
        instance: String,
        paymentID: PaymentID,
        merchantID: MerchantID,
        traceparent: String?,
        tail: some Collection<UInt8>,
        at: String
    ) {
        var body: [UInt8] = []
        body.reserveCapacity(96 + tail.count)
        // Names and times without a character to escape.
        body.append(contentsOf: #"{"event":""#.utf8)
        body.append(contentsOf: name.rawValue.utf8)
        body.append(contentsOf: #"","occurred_at":""#.utf8)
        body.append(contentsOf: at.utf8)
        body.append(contentsOf: #"","operation":""#.utf8)
        body.append(contentsOf: kind.rawValue.utf8)
        body.append(UInt8(ascii: "\""))
        body.append(contentsOf: tail)
        var headers: [String: HeaderValue] = [
            HeaderName.paymentID: .string(paymentID.description),
            HeaderName.merchantID: .string(merchantID.description),
        ]
        let id = "\(instance)-\(name.rawValue)"
        headers[HeaderName.traceparent] = traceparent.map { .string(TraceParent.continuing($0, as: id)) }
        self.name = name
        message = Message(
            type: name.type,
            contentType: "application/json",
            messageID: id,
            headers: headers,
            body: body
        )
    }
}

extension OperationKind {
    fileprivate var succeededEvent: PaymentEvent.Name {
        switch self {
        case .authorize: .authorized
        case .capture: .captured
        case .void: .voided
        case .refund: .refunded
        }
    }

    /// The field of the payment that says when.
    fileprivate var succeededField: StaticString {
        switch self {
        case .authorize: "authorized_at"
        case .capture: "captured_at"
        case .void: "voided_at"
        case .refund: "refunded_at"
        }
    }
}

extension Operation {
    /// When the last attempt began: the time in its token's id, which is stored with it.
    fileprivate var attemptedAt: String {
        Timestamp(microseconds: Int64(claimToken.value.high >> 16) * 1_000).description
    }
}

/// The payment at the end of a reply's body, as bytes: an event shows the same, and neither reads nor writes it anew.
struct ShownPayment {
    /// `,"payment":{…},"payment_id":"…"}`.
    let bytes: ArraySlice<UInt8>

    /// - Parameter reply: canonical (`Reply.encoded`), so `payment` and `payment_id` are its last members.
    /// - Returns: `nil` where it shows no payment.
    init?(in reply: [UInt8]) {
        // No string holds a bare quotation mark, and nothing within a payment has this name: the last one is the reply's own.
        guard let start = reply.lastPosition(of: Self.name), reply[start...].starts(with: Self.beginning) else {
            return nil
        }
        bytes = reply[start...]
    }

    var status: String? { text("status") }

    /// A time as it is written, `nil` where there is none.
    func instant(_ field: StaticString) -> String? { text(field) }

    private func text(_ field: StaticString) -> String? {
        guard let start = bytes.startOfText(named: field),
            let end = bytes[start...].firstIndex(of: UInt8(ascii: "\""))
        else { return nil }
        return String(decoding: bytes[start..<end], as: UTF8.self)
    }

    private static let name = Array(#","payment":"#.utf8)
    private static let beginning = Array(#","payment":{"#.utf8)
}

extension Collection<UInt8> where Index == Int {
    /// Behind `"name":"`; `nil` where there is none.
    fileprivate func startOfText(named name: StaticString) -> Int? {
        let name = UnsafeBufferPointer(start: name.utf8Start, count: name.utf8CodeUnitCount)
        let quote = UInt8(ascii: "\"")
        let length = name.count + 4
        guard count >= length else { return nil }
        return (startIndex...(endIndex - length)).first { position in
            self[position] == quote && self[position + name.count + 1] == quote
                && self[position + name.count + 2] == UInt8(ascii: ":") && self[position + name.count + 3] == quote
                && self[position + 1..<position + name.count + 1].elementsEqual(name)
        }
        .map { $0 + length }
    }

    fileprivate func lastPosition(of pattern: [UInt8]) -> Int? {
        guard count >= pattern.count else { return nil }
        return (startIndex...(endIndex - pattern.count)).last { position in
            self[position] == pattern[0] && self[position...].starts(with: pattern)
        }
    }
}
