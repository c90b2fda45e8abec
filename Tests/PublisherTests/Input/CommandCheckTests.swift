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
