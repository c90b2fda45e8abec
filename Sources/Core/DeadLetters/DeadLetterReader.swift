/// Makes a dead letter of a message. Pure and total: any message gives one.
package struct DeadLetterReader: Sendable {
    private let fingerprinter: Fingerprinter
    private let cards: CardIntake

    /// - Parameter cards: its keys open sealed cards. Whether a plain one would be taken does not matter here.
    package init(fingerprinter: Fingerprinter, cards: CardIntake = CardIntake()) {
        self.fingerprinter = fingerprinter
        self.cards = CardIntake(keys: cards.keys)
    }

    /// - Parameters:
    ///   - message: as it was delivered.
    ///   - origin: how it came to the dead letters.
    ///   - id: for the row, should there be none of this failure yet.
    ///   - now: stands in where the message does not tell when it failed.
    package func deadLetter(_ message: Message, _ origin: DeadLetterOrigin, id: DeadLetterID, now: Timestamp)
        -> DeadLetter
    {
        let kind = message.type.flatMap(OperationKind.init(commandType:))
        let authorize = authorize(message)
        let content = ReducedMessage(
            message,
            kind: kind,
            opening: cards,
            keeping: authorize.flatMap { KeptCard(message.body, $0.parameters) }
        )
        return DeadLetter(
            id: id,
            instance: instance(message, origin),
            failure: failure(message, origin, now),
            command: command(message, kind, content.message.headers, authorize?.fingerprint),
            content: content,
            replayOf: message.headers[HeaderName.replayOf]?.string.flatMap(DeadLetterID.init)
        )
    }

    /// - Parameter kept: the headers after the reduction: what looked like a card number is no key any more.
    private func command(
        _ message: Message,
        _ kind: OperationKind?,
        _ kept: [String: HeaderValue],
        _ fingerprint: Fingerprint?
    ) -> DeadLetterCommand {
        func isKept(_ name: String) -> Bool { message.headers[name] == kept[name] }
        return DeadLetterCommand(
            kind: kind,
            paymentID: try? EnvelopeDecoder.paymentID(message),
            merchantID: isKept(HeaderName.merchantID) ? try? EnvelopeDecoder.merchantID(message) : nil,
            idempotencyKey: isKept(HeaderName.idempotencyKey) ? try? EnvelopeDecoder.idempotencyKey(message) : nil,
            fingerprint: fingerprint
        )
    }

    /// Of an authorize that is valid.
    private func authorize(_ message: Message) -> (parameters: AuthorizeParameters, fingerprint: Fingerprint)? {
        guard case .command(let command) = CommandDecoder(cards).decode(message),
            case .authorize(let parameters) = command.parameters
        else { return nil }
        let fingerprint = fingerprinter.fingerprint(of: command, resolvedAmount: command.parameters.statedAmount)
        return (parameters, fingerprint)
    }

    private func failure(_ message: Message, _ origin: DeadLetterOrigin, _ now: Timestamp) -> DeadLetterFailure {
        switch origin {
        case .processor:
            let failedAt = message.headers[HeaderName.failedAt]?.integer.map(Timestamp.init(microseconds:))
            return DeadLetterFailure(
                code: Self.text(message.headers[HeaderName.errorCode]) ?? DeadLetterCode.unknown.rawValue,
                message: Self.text(message.headers[HeaderName.errorMessage]) ?? "the message does not say why",
                source: .processor,
                at: failedAt.flatMap { Self.times.contains($0) ? $0 : nil } ?? now
            )
        case .broker(let reason, _, let at):
            let (code, words) = Self.given(up: reason)
            return DeadLetterFailure(
                code: code,
                message: words,
                source: .broker,
                at: at ?? now
            )
        case .unrouted:
            return DeadLetterFailure(
                code: DeadLetterFailure.unrouted,
                message:
                    "no command queue was bound to the commands exchange for \(DeadLetterIngester.unroutedLimit.components.seconds / 60) minutes",
                source: .broker,
                at: now
            )
        }
    }

    /// - Parameter reason: the broker's.
    private static func given(up reason: String) -> (code: String, words: String) {
        switch reason {
        case DeadLetterFailure.deliveryLimit:
            (reason, "delivered again and again without an end, most often beside a message that ended the processor")
        // By the processor.
        case "rejected":
            (
                DeadLetterFailure.unpublishable,
                "the processor could not publish what was to become of it"
            )
        default:
            DeadLetterCode(rawValue: reason).map { ($0.rawValue, "given up by the broker") }
                ?? (DeadLetterCode.unknown.rawValue, "given up by the broker: \(printable(reason))")
        }
    }

    /// What the processor named itself, else what does not change when the same message comes again.
    private func instance(_ message: Message, _ origin: DeadLetterOrigin) -> FailureInstance {
        let parts: [String]
        switch origin {
        case .processor:
            if let name = message.headers[HeaderName.failureInstance]?.string {
                return FailureInstance(bytes: digest(["dead letter", "named", name]))
            }
            parts = ["processor", message.headers[HeaderName.errorCode]?.string ?? ""]
        case .broker(let reason, let occurrence, _): parts = ["broker", reason, occurrence]
        case .unrouted: parts = ["unrouted"]
        }
        return FailureInstance(bytes: digest(["dead letter"] + parts, of: message))
    }

    /// Names the message itself, for counting: by its id, or by its content where it has none.
    package func identity(of message: Message) -> String {
        if let id = ReducedMessage(message, kind: nil, opening: cards).message.messageID, !id.isEmpty { return id }
        return "digest "
            + digest(["message"], of: message).prefix(16).map { String($0, radix: 16) }.joined(separator: ".")
    }

    private func digest(_ labels: [String], of message: Message? = nil) -> [UInt8] {
        var fields = labels.map { Array($0.utf8) }
        if let message {
            let properties =
                [
                    message.type, message.contentType, message.contentEncoding, message.messageID,
                ].map { $0.map { Array($0.utf8) } } + [
                    message.correlationID?.bytes, message.replyTo.map { Array($0.utf8) },
                ]
            fields += properties.map { $0.map { [UInt8(ascii: "=")] + $0 } ?? [] }
            // The rest of our bookkeeping differs between two deliveries of one message.
            let kept = message.cleanCopy().headers.filter {
                $0.key == HeaderName.replayOf || !HeaderName.bookkeeping.contains($0.key)
            }
            fields += kept.map { Array("\($0.key)=\($0.value)".utf8) }.sorted { $0.lexicographicallyPrecedes($1) }
            fields.append(message.body)
        }
        return fingerprinter.digest(of: fields)
    }

    private static func text(_ header: HeaderValue?) -> String? {
        header?.string.map(printable)
    }

    /// What a database can hold, without what looks like a card number.
    private static func printable(_ text: String) -> String {
        CardDigits.masked(text.replacing("\0", with: "\u{fffd}"))
    }

    /// Until 9999: beyond that no store can compute.
    private static let times = Timestamp(microseconds: 0)...Timestamp(microseconds: 253_402_300_799_999_999)
}

extension Message {
    /// The dead letter of an operation that needs manual review, where no delivery of its command is at hand: the
    /// command is rebuilt from what is stored. The card of an authorize is not, so that its dead letter cannot be
    /// replayed.
    ///
    /// - Parameters:
    ///   - operation: in need of manual review.
    ///   - payment: the one that it is about.
    init(rebuilding operation: Operation, of payment: Payment) {
        var headers: [String: HeaderValue] = [
            HeaderName.paymentID: .string(operation.paymentID.description),
            HeaderName.idempotencyKey: .string(operation.idempotencyKey.description),
            HeaderName.merchantID: .string(operation.merchantID.description),
            HeaderName.errorCode: .string(DeadLetterFailure.needsAttention),
            HeaderName.errorMessage: .string(operation.attentionReason),
            HeaderName.failureInstance: .string(operation.attentionInstance),
        ]
        headers[HeaderName.traceparent] = operation.route.traceparent.map(HeaderValue.string)
        self.init(
            type: operation.kind.commandType,
            contentType: "application/json",
            // The command's own is not stored; this one stays the same for each copy.
            messageID: operation.id.description,
            correlationID: operation.route.correlationID,
            replyTo: operation.route.isNobody ? ReplyRoute.nobodysQueue : operation.route.replyTo,
            headers: headers,
            body: Self.body(of: operation.kind, payment).encoded
        )
    }

    private static func body(of kind: OperationKind, _ payment: Payment) -> JSONValue {
        switch kind {
        case .authorize:
            .object([
                "order_id": .string(payment.orderID), "customer_id": .string(payment.customerID),
                "amount": .integer(payment.amount.minorUnits), "currency": .string(payment.amount.currency.rawValue),
                // Shows that something is missing: see `BodyReduction`.
                "card": .object([:]),
            ])
        case .capture, .refund: .object(["amount": .integer(payment.amount.minorUnits)])
        case .void: .object([:])
        }
    }
}

extension Operation {
    /// Why manual review is needed: a code.
    var attentionReason: String { lastError ?? "needs manual review" }

    /// Names this need of manual review: after a replay the fencing token has moved on.
    var attentionInstance: String { "operation \(id) \(fencingToken)" }
}
