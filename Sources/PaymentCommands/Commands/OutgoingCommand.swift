import CardSealing
package import Core

/// A command on its way out, not necessarily a valid one.
package struct OutgoingCommand: Hashable, Sendable {
    package let kind: OperationKind
    package let paymentID: String
    package let idempotencyKey: String
    package let merchantID: String?
    package let deadline: Timestamp?
    package let body: [UInt8]
    /// Whether the key was made here, so that who sends the same again has to be told it first.
    package let hasMadeKey: Bool
    /// Whether the payment's id was made here, at random.
    package let hasMadePaymentID: Bool

    /// Without a payment id (an authorize may be) it gets a new one, always the same one where the key is given; without a
    /// key it gets a new one too.
    package init(
        kind: OperationKind,
        paymentID: String?,
        idempotencyKey: String?,
        merchantID: String?,
        deadline: Timestamp? = nil,
        body: JSONValue
    ) {
        self.kind = kind
        self.paymentID = paymentID ?? Identifier.paymentID(idempotencyKey: idempotencyKey, merchantID: merchantID)
        self.idempotencyKey = idempotencyKey ?? Identifier.idempotencyKey()
        self.merchantID = merchantID
        self.deadline = deadline
        self.body = body.encoded
        hasMadeKey = idempotencyKey == nil
        hasMadePaymentID = idempotencyKey == nil && paymentID == nil
    }

    /// The same with identifiers that were made for it before.
    package init(_ other: OutgoingCommand, idempotencyKey: String, paymentID: String) {
        kind = other.kind
        self.paymentID = other.hasMadePaymentID ? paymentID : other.paymentID
        self.idempotencyKey = other.hasMadeKey ? idempotencyKey : other.idempotencyKey
        merchantID = other.merchantID
        deadline = other.deadline
        body = other.body
        hasMadeKey = other.hasMadeKey
        hasMadePaymentID = other.hasMadePaymentID
    }

    /// The same with another body.
    package init(_ other: OutgoingCommand, body: JSONValue) {
        kind = other.kind
        paymentID = other.paymentID
        idempotencyKey = other.idempotencyKey
        merchantID = other.merchantID
        deadline = other.deadline
        self.body = body.encoded
        hasMadeKey = other.hasMadeKey
        hasMadePaymentID = other.hasMadePaymentID
    }

    /// The message; without a reply address its reply goes to the common reply queue.
    package func message(id messageID: UniqueID, correlationID: String, replyTo: String?) -> Message {
        var headers: [String: HeaderValue] = [
            HeaderName.paymentID: .string(paymentID),
            HeaderName.idempotencyKey: .string(idempotencyKey),
            HeaderName.traceparent: .string(Identifier.traceparent(of: messageID)),
        ]
        headers[HeaderName.merchantID] = merchantID.map(HeaderValue.string)
        headers[HeaderName.deadline] = deadline.map { .string($0.description) }
        return Message(
            type: kind.commandType,
            contentType: "application/json",
            messageID: messageID.description,
            correlationID: CorrelationID(correlationID),
            replyTo: replyTo,
            headers: headers,
            body: body
        )
    }
}

extension OutgoingCommand {
    /// What the processor would reject it for, or dead-letter it, by the processor's own rules; `nil` where it is valid.
    package var problem: InvalidField? {
        let anyID = UniqueID(high: 1, low: 1)
        let message = message(id: anyID, correlationID: "check", replyTo: nil)
        switch CommandDecoder().decode(message) {
        case .command: return nil
        // What is sealed, only the processor can open.
        case .answerable(let command) where command.problem == SealedCardProblem.unknownKey.invalidField: return nil
        case .answerable(let command): return command.problem
        case .unanswerable(let problem): return problem
        }
    }
}

extension OutgoingCommand {
    private static let sealedCard = "sealed_card"

    /// Whether there is a card in it that everybody can read.
    package var hasPlainCard: Bool { plainCard != nil }

    package var hasSealedCard: Bool {
        guard let sealed = (try? JSONParser.parse(body))?[Self.sealedCard] else { return false }
        return !sealed.isNull
    }

    private var plainCard: (card: JSONValue, members: [String: JSONValue])? {
        guard kind == .authorize, case .object(let members)? = try? JSONParser.parse(body), let card = members["card"],
            !card.isNull, members[Self.sealedCard] == nil
        else { return nil }
        return (card, members)
    }

    /// The same with its card sealed, for its payment alone.
    package func sealed(for key: CardPublicKey) throws(PaymentClientError) -> OutgoingCommand {
        guard let plain = plainCard else { return self }
        var members = plain.members
        do throws(CardKeyProblem) {
            members[Self.sealedCard] = .string(try CardSealer.seal(plain.card, for: paymentID, with: key))
        } catch {
            throw PaymentClientError(.configuration, "the card key \(error)")
        }
        members["card"] = nil
        return OutgoingCommand(self, body: .object(members))
    }
}
