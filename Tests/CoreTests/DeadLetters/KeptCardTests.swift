import CardSealing
import Simulation
import Testing

@testable import Core

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

@Suite("The reduction of a message, at random", .timeLimit(.minutes(2)))
struct ReductionFuzzTests {
    private static let number = "5412750000000009"
    private static let cvv = "7391"

    @Test("whatever becomes of the body of an authorize, its card number and CVV are not kept", arguments: 1...8)
    func mutations(seed: UInt64) throws {
        var random = SplitMix64(seed: seed)
        let card = #"{"number":"\#(Self.number)","cvv":"\#(Self.cvv)","expiry_month":12,"expiry_year":2030}"#
        let valid = Array(CommandMessage.authorizeBody(card: card, more: #","more":[{"card":\#(card)},"a"]"#).utf8)
        for _ in 0..<4_000 {
            var body = valid
            for _ in 0...Int.random(in: 0...3, using: &random) { Self.mutate(&body, &random) }
            let kind = OperationKind.allCases.randomElement(using: &random)
            let reduced = ReducedMessage(Message(body: body), kind: kind)
            let text = String(decoding: reduced.message.body, as: UTF8.self)
            let isFound = text.contains(Self.number) || text.contains(Self.cvv)
            #expect(!isFound, "\(String(decoding: body, as: UTF8.self))")
            if isFound { return }
            if reduced.isReplayable { #expect(Self.command(reduced.message.body, kind) == Self.command(body, kind)) }
        }
    }

    @Test("bytes without any sense are reduced too", arguments: 1...4)
    func noise(seed: UInt64) {
        var random = SplitMix64(seed: seed)
        for _ in 0..<4_000 {
            let body = (0..<Int.random(in: 0..<200, using: &random)).map { _ in
                random.next() % 3 == 0 ? UInt8.random(in: 0x30...0x39, using: &random) : UInt8(random.next() & 0xff)
            }
            let reduced = ReducedMessage(Message(body: body), kind: .void)
            let digits = reduced.message.body.count { (0x30...0x39).contains($0) }
            #expect(digits < 3 || reduced.message.body == body && (try? JSONParser.parse(body)) != nil)
        }
    }

    /// What the decoder makes of it: what may be replayed is the command that it was.
    private static func command(_ body: [UInt8], _ kind: OperationKind?) -> DecodedMessage {
        CommandDecoder().decode(CommandMessage.valid(kind ?? .void) { $0.body = body })
    }

    /// What happens to texts: bytes are changed, lost, doubled, moved; names and quotes are lost.
    private static func mutate(_ body: inout [UInt8], _ random: inout SplitMix64) {
        guard body.count > 2 else { return }
        let position = Int.random(in: 0..<body.count, using: &random)
        switch Int.random(in: 0..<8, using: &random) {
        // Not into a digit: another CVV than the one that is looked for is found by nobody.
        case 0: body[position] = UInt8(ascii: "x")
        case 1: body.remove(at: position)
        case 2: body.insert(UInt8.random(in: 0x20...0x7e, using: &random), at: position)
        case 3: body.removeSubrange(position...)
        case 4: body.insert(contentsOf: #""a":"#.utf8, at: position)
        case 5: body += body[position...]
        case 6: body[position] = UInt8.random(in: 0x80...0xff, using: &random)
        default:
            let names = ["card", "number", "cvv", "order_id", "customer_id", "amount"]
            let name = Array((names.randomElement(using: &random) ?? "").utf8)
            let other = Array((names.randomElement(using: &random) ?? "").utf8)
            if let range = body.firstRange(of: name) { body.replaceSubrange(range, with: other) }
        }
    }
}
