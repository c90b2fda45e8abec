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

/// What a message on a command queue turned out to be (docs/contract.md#answerable-or-not).
package enum DecodedMessage: Hashable, Sendable {
    case command(Command)
    /// Its sender can be notified: a `rejected` reply, and no dead letter.
    case answerable(InvalidCommand)
    /// Nobody can be notified: a dead letter.
    case unanswerable(InvalidField)
}

/// An invalid command of which enough is valid to answer it. What was invalid is left out, so it is absent from the reply too.
package struct InvalidCommand: Hashable, Sendable {
    package let kind: OperationKind
    package let idempotencyKey: IdempotencyKey
    package let paymentID: PaymentID?
    package let merchantID: MerchantID?
    package let messageID: String?
    package let route: ReplyRoute
    package let problem: InvalidField
}

/// What is wrong with a message, and where. It names the field and the rule, never the value: that may be card data.
package struct InvalidField: Error, Hashable, Sendable, CustomStringConvertible {
    package let field: String
    package let problem: String

    package init(_ field: String, _ problem: String) {
        self.field = field
        self.problem = problem
    }

    /// `<field>: <what is wrong>` (docs/contract.md#answerable-or-not).
    package var description: String { "\(field): \(problem)" }
}

/// Which user of the broker may act for which merchants (docs/contract.md#merchants).
package struct MerchantAccess: Sendable {
    private let merchants: [String: Set<MerchantID>]

    package init(_ merchants: [String: Set<MerchantID>]) {
        self.merchants = merchants
    }

    /// - Throws: where nobody has published the message whom the broker vouches for, or somebody who may not act for this merchant, or
    ///   who would have the reply sent into somebody else's queue.
    func check(_ message: Message, _ merchantID: MerchantID) throws(InvalidField) {
        guard let user = Self.user(of: message) else {
            throw InvalidField("user_id", "is missing: it must be the user of the connection")
        }
        guard merchants[user]?.contains(merchantID) == true else {
            throw InvalidField(HeaderName.merchantID, "is none that this user of the broker may act for")
        }
        guard isOwnReplyTo(message) else { throw InvalidField("reply_to", "must begin with replies.<user>.") }
    }

    /// Whether its replies go to a queue of the publisher's own, or to the common one.
    func isOwnReplyTo(_ message: Message) -> Bool {
        guard let address = message.replyTo else { return true }
        guard let user = Self.user(of: message) else { return false }
        return address.utf8.starts(with: "\(ReplyAddress.prefix)\(user).".utf8)
    }

    /// Of a delivery, or of a copy of ours.
    private static func user(of message: Message) -> String? {
        message.publisher ?? message.headers[HeaderName.publishedBy]?.string
    }
}
