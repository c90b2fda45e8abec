/// Reads a command message by the rules of docs/contract.md#commands. Pure and total: any bytes give one of the three
/// results.
package struct CommandDecoder: Sendable {
    private let cards: CardIntake
    private let merchants: MerchantAccess?

    /// - Parameters:
    ///   - cards: in what forms the cards of authorizes are taken.
    ///   - merchants: who may act for whom; `nil`: whoever publishes, for everybody.
    package init(_ cards: CardIntake = CardIntake(), _ merchants: MerchantAccess? = nil) {
        self.cards = cards
        self.merchants = merchants
    }

    package func decode(_ message: Message) -> DecodedMessage { wipingStack { decoded(message) } }

    private func decoded(_ message: Message) -> DecodedMessage {
        guard let type = message.type else { return .unanswerable(EnvelopeDecoder.missing(.type, message)) }
        guard let kind = OperationKind(commandType: type) else {
            return .unanswerable(InvalidField("type", "is none of the command types of version 1"))
        }
        let key: IdempotencyKey
        do throws(InvalidField) {
            key = try EnvelopeDecoder.idempotencyKey(message)
        } catch {
            return .unanswerable(error)
        }
        do throws(InvalidField) {
            return .command(try command(kind, key, message))
        } catch {
            return invalid(kind, key, message, error)
        }
    }

    /// An id that is a card number of the body is left out as what was invalid, and a key that is one is no key.
    private func invalid(
        _ kind: OperationKind,
        _ key: IdempotencyKey,
        _ message: Message,
        _ problem: InvalidField
    ) -> DecodedMessage {
        let cards = KnownCards(in: message.body, opening: cards)
        guard !cards.stand(in: key.description) else {
            return .unanswerable(Self.holdsCard(HeaderName.idempotencyKey))
        }
        var merchantID = try? EnvelopeDecoder.merchantID(message)
        if cards.stand(in: merchantID?.description) { merchantID = nil }
        let route = EnvelopeDecoder.route(message)
        let isForeign = merchants?.isOwnReplyTo(message) == false
        let isReplyToRefused = cards.stand(in: route.replyTo) || isForeign
        let messageID = try? EnvelopeDecoder.messageID(message)
        return .answerable(
            InvalidCommand(
                kind: kind,
                idempotencyKey: key,
                paymentID: try? EnvelopeDecoder.paymentID(message),
                merchantID: merchantID,
                messageID: cards.stand(in: messageID) ? nil : messageID,
                route: ReplyRoute(
                    replyTo: isReplyToRefused ? nil : route.replyTo,
                    correlationID: cards.stand(in: route.correlationID) ? nil : route.correlationID,
                    traceparent: route.traceparent,
                    isReplyToIgnored: route.isReplyToIgnored || isReplyToRefused
                ),
                problem: problem
            )
        )
    }

    private static func holdsCard(_ field: String) -> InvalidField {
        InvalidField(field, "holds the card number of the command")
    }

    /// Ids are stored, logged and sent back.
    private func checkIDs(_ command: Command) throws(InvalidField) {
        guard case .authorize(let parameters) = command.parameters else { return }
        let cards = KnownCards(parameters.card)
        let ids: [(String, String?)] = [
            (HeaderName.idempotencyKey, command.idempotencyKey.description), ("message_id", command.messageID),
            ("reply_to", command.route.replyTo), (HeaderName.merchantID, command.merchantID.description),
            ("order_id", parameters.orderID), ("customer_id", parameters.customerID),
        ]
        for (name, id) in ids where cards.stand(in: id) { throw Self.holdsCard(name) }
        if cards.stand(in: command.route.correlationID) { throw Self.holdsCard("correlation_id") }
    }

    private func command(
        _ kind: OperationKind,
        _ key: IdempotencyKey,
        _ message: Message
    ) throws(InvalidField) -> Command {
        try EnvelopeDecoder.checkProperties(message)
        let paymentID = try EnvelopeDecoder.paymentID(message)
        let merchantID = try EnvelopeDecoder.merchantID(message)
        try merchants?.check(message, merchantID)
        let command = Command(
            paymentID: paymentID,
            merchantID: merchantID,
            idempotencyKey: key,
            messageID: try EnvelopeDecoder.messageID(message),
            parameters: try BodyDecoder.parameters(kind, message.body, cards, for: paymentID),
            deadline: try EnvelopeDecoder.deadline(message),
            route: EnvelopeDecoder.route(message)
        )
        try checkIDs(command)
        return command
    }
}
