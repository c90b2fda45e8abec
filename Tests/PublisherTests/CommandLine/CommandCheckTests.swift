import CardSealing
import Core
import PaymentCommands
import Testing

@testable import Publisher

@Suite("A command is checked before it is sent", .timeLimit(.minutes(1)))
struct CommandCheckTests {
    @Test("a good one passes", arguments: OperationKind.allCases)
    func good(kind: OperationKind) throws {
        try CommandCheck.check(command(kind, kind == .authorize ? Fixture.authorizeBody : "{}"))
    }

    @Test(
        "a bad body is named by its option, without its value",
        arguments: [
            (#""amount":5000"#, #""amount":0"#, "--amount"), (#""amount":5000"#, #""amount":50.5"#, "--amount"),
            (#""o-1""#, #""""#, "--order-id"), (#""c-1""#, #""a\u0007b""#, "--customer-id"),
            (#""4111111111111111""#, #""41111111x1111111""#, "--card"), (#""123""#, #""12""#, "--cvv"),
            (#""expiry_month":12"#, #""expiry_month":13"#, "--expiry: the month"),
            (#""expiry_year":2030"#, #""expiry_year":1999"#, "--expiry: the year"),
        ]
    )
    func badBody(good: String, bad: String, option: String) throws {
        let body = Fixture.authorizeBody.replacing(good, with: bad)
        try #require(body != Fixture.authorizeBody)
        let failure = #expect(throws: Failure.self) { try CommandCheck.check(command(.authorize, body)) }
        #expect(failure?.status == .usage)
        #expect(failure?.lines.count == 1)
        #expect(failure?.lines.first?.hasPrefix(option + " ") == true)
        #expect(failure?.lines.first?.contains("1111") == false)
    }

    @Test("a bad envelope is named by its option")
    func badEnvelope() {
        let problems: [(OutgoingCommand, String)] = [
            (command(.void, "{}", paymentID: "x"), "--payment-id"),
            (command(.void, "{}", key: ""), "--idempotency-key"),
            (command(.void, "{}", merchantID: "a b"), "--merchant-id"),
        ]
        for (command, option) in problems {
            let failure = #expect(throws: Failure.self) { try CommandCheck.check(command) }
            #expect(failure?.lines.first?.hasPrefix(option + " ") == true)
        }
    }

    @Test("a wrong check digit is found, and the number not shown")
    func checkDigit() {
        let body = Fixture.authorizeBody.replacing("4111111111111111", with: "4111111111111112")
        let failure = #expect(throws: Failure.self) { try CommandCheck.check(command(.authorize, body)) }
        #expect(
            failure?.lines == [
                "--card: the number's check digit is wrong, so it is mistyped; --no-check sends it anyway"
            ]
        )
    }

    private func command(
        _ kind: OperationKind,
        _ body: String,
        paymentID: String = Fixture.paymentID,
        key: String = "k",
        merchantID: String? = nil
    ) -> OutgoingCommand {
        OutgoingCommand(
            kind: kind,
            paymentID: paymentID,
            idempotencyKey: key,
            merchantID: merchantID,
            body: (try? JSONParser.parse(Array(body.utf8))) ?? .null
        )
    }
}

@Suite("Sealing a card", .timeLimit(.minutes(1)))
struct SealingTests {
    @Test("the processor opens what is sealed, for its payment, and nothing else of the command changes")
    func sealed() throws {
        let key = CardKey.generated(.p256)
        let plain = try BatchLine.command(Array(Fixture.authorizeLine().utf8))
        #expect(plain.hasPlainCard && !plain.hasSealedCard)
        let sealed = try plain.sealed(for: key.publicKey)
        #expect(!sealed.hasPlainCard && sealed.hasSealedCard)
        #expect(sealed.paymentID == plain.paymentID && sealed.idempotencyKey == plain.idempotencyKey)
        #expect(CommandDigest.of(sealed) == CommandDigest.of(plain))
        let keys = CardIntake(keys: try CardKeyring([key]), acceptsPlain: false)
        let id = UniqueID(high: 1, low: 1)
        func parameters(_ command: OutgoingCommand, _ cards: CardIntake) -> CommandParameters? {
            let message = command.message(id: id, correlationID: "c", replyTo: nil)
            guard case .command(let decoded) = CommandDecoder(cards).decode(message) else { return nil }
            return decoded.parameters
        }
        let opened = try #require(parameters(sealed, keys))
        #expect(opened == parameters(plain, CardIntake()))
        // Sealed once, it stays as it is.
        #expect(try sealed.sealed(for: key.publicKey).body == sealed.body)
    }

    @Test("a line may come sealed, but not without its payment")
    func line() throws {
        let body = #""body":{"order_id":"o","customer_id":"c","amount":1,"sealed_card":"a.b.c.d.e"}"#
        let payment = #""payment_id":"0195a7c2-6f0e-7c3a-9c55-1f2e3d4c5b6a""#
        #expect(throws: BatchLine.Problem("payment_id", "is missing, and a sealed card is for one payment")) {
            try BatchLine.command(Array(#"{"operation":"authorize",\#(body)}"#.utf8))
        }
        // What is in it, only the processor can tell.
        let token = try CardSealer.seal(
            .object([:]),
            for: "0195a7c2-6f0e-7c3a-9c55-1f2e3d4c5b6a",
            with: CardKey.generated(.p256).publicKey
        )
        let line = #"{"operation":"authorize",\#(payment),\#(body)}"#.replacing("a.b.c.d.e", with: token)
        #expect(try BatchLine.command(Array(line.utf8)).hasSealedCard)
    }

    @Test("an address is https, or on this machine")
    func source() throws {
        #expect(try CardKeySource("/etc/card.jwk") == .file("/etc/card.jwk"))
        for url in [
            "https://payments.example/jwks.json", "http://127.0.0.1:9090/x", "http://[::1]:1/", "http://localhost/",
        ] {
            #expect(try CardKeySource(url) == .address(url))
        }
        for url in [
            "http://payments.example/jwks.json", "http://127.0.0.1.example/", "http://localhost:80@evil.example/",
            "ftp://a/b",
        ] {
            #expect(throws: ConfigurationProblem.self) { try CardKeySource(url) }
        }
    }
}
