import CardSealing
import Core
import Testing

/// What a dead letter keeps of a sealed card (docs/contract.md#sealed-cards).
@Suite("Sealed cards of dead letters", .timeLimit(.minutes(1)))
struct KeptCardTests {
    private static let key = CardKey.generated(.p256)
    private let now = Timestamp(microseconds: 1_900_000_000_000_000)

    private func deadLetter(_ message: Message, keys: [CardKey] = [key]) throws -> DeadLetter {
        let cards = CardIntake(keys: try CardKeyring(keys), acceptsPlain: false)
        let reader = DeadLetterReader(fingerprinter: Fingerprinter(secret: [1]), cards: cards)
        return reader.deadLetter(message, .unrouted, id: DeadLetterID(UniqueID(high: 0, low: 1)), now: now)
    }

    private func seal(_ card: JSONValue = CommandMessage.card) throws -> String {
        try CardSealer.seal(card, for: CommandMessage.paymentID, with: Self.key.publicKey)
    }

    @Test("a valid authorize keeps it, and is replayed as it was")
    func kept() throws {
        let token = try seal()
        let message = CommandMessage.sealed(token)
        let deadLetter = try deadLetter(message)
        #expect(deadLetter.content.sealedCard == token)
        #expect(deadLetter.content.isReplayable)
        #expect(deadLetter.content.card == "411111******1111")
        #expect(deadLetter.command.fingerprint != nil)
        // What is shown and stored as its body has no card in any form.
        #expect(!String(decoding: deadLetter.content.message.body, as: UTF8.self).contains("sealed"))
        let copy = deadLetter.replayCopy
        #expect(try JSONParser.parse(copy.body) == JSONParser.parse(message.body))
        var erased = deadLetter
        erased.eraseSealedCard()
        #expect(!erased.content.isReplayable && erased.content.sealedCard == nil)
        #expect(erased.content.card == deadLetter.content.card)
    }

    @Test("a plain card is never kept, and what only looks like a sealed one is not either")
    func notKept() throws {
        let (valid, number) = (try seal(), CommandMessage.number)
        let other = CardKey.generated(.p256)
        var messages = [
            CommandMessage.valid(.authorize), CommandMessage.sealed(number), CommandMessage.sealed("a.\(number).b.c.d"),
            CommandMessage.sealed(try CardSealer.seal(CommandMessage.card, for: "another", with: Self.key.publicKey)),
            CommandMessage.sealed(
                try CardSealer.seal(CommandMessage.card, for: CommandMessage.paymentID, with: other.publicKey)
            ),
            CommandMessage.sealed(valid, more: #","card":{"number":"4111111111111111"}"#),
        ]
        // A sender that writes the number beside what is sealed.
        var untyped = CommandMessage.sealed(valid)
        untyped.type = nil
        messages.append(untyped)
        for message in messages {
            let deadLetter = try deadLetter(message)
            #expect(deadLetter.content.sealedCard == nil)
            #expect(!deadLetter.content.isReplayable || deadLetter.command.kind == nil)
            #expect(!String(decoding: deadLetter.replayCopy.body, as: UTF8.self).contains(number))
            #expect(!String(decoding: deadLetter.replayCopy.body, as: UTF8.self).contains("sealed_card"))
        }
    }

    @Test("a number in the open part of a sealed card is not kept")
    func openPart() throws {
        let parts = try seal().split(separator: ".")
        guard case .object(var header) = try JSONParser.parse(try #require(Base64URL.decoded(parts[0]))) else { return }
        header["note"] = .string(CommandMessage.number)
        let open = Base64URL.encoded(JSONValue.object(header).encoded) + ".AA.AA.AA.AA"
        let parameters = AuthorizeParameters(
            orderID: "o",
            customerID: "c",
            amount: try #require(Money(minorUnits: 1, currency: .usd)),
            card: try #require(
                CardDetails(number: CommandMessage.number, cvv: "987", expiryMonth: 1, expiryYear: 2030)
            )
        )
        #expect(KeptCard(CommandMessage.sealed(open).body, parameters) == nil)
        #expect(KeptCard(CommandMessage.sealed(try seal()).body, parameters) != nil)
    }
}
