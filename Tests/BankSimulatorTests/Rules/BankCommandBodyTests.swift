import Testing

@testable import BankSimulator

@Suite("Reading a command's body", .timeLimit(.minutes(1)))
struct BankCommandBodyTests {
    static let id = "auth_6f9619ff-8b86-4d01-b42d-00cf4fc964ff"

    private func read(_ operation: BankOperation, _ body: String) -> BankCommand? {
        try? BankCommand(operation, body: Array(body.utf8))
    }

    @Test(
        "unknown fields, trailing garbage and odd spacing are accepted",
        arguments: [
            #"{"card_number":"4111","cvv":"123","amount":5000}"#,
            #"{"card_number":"4111","cvv":"123","amount":5000,"extra":[{"a":null},1.5e3,"\u00e9"]}"#,
            #"{"card_number":"4111","cvv":"123","amount":5000} and more }"#,
            " \n{ \"card_number\" : \"4111\" ,\t\"cvv\":\"123\",\"amount\":5000}{",
            #"{"card_number":"4111","cvv":"123","amount":1,"amount":5000,"expiry_month":"nonsense"}"#,
            #"{"card_number":"\u0034111","cvv":"123","amount":5000}"#,
        ]
    )
    func lenient(body: String) {
        let expected = AuthorizeRequest(cardNumber: "4111", cvv: "123", amount: 5_000)
        #expect(read(.authorize, body) == .authorize(expected))
    }

    @Test(
        "what is no JSON object with fields of the right types is malformed",
        arguments: [
            "", "   ", "{", "[]", "1", "\"x\"", "{\"amount\":5000", "{'amount':1}", "{\"amount\":}", "nonsense",
            #"{"amount":"5000"}"#, #"{"amount":50.5}"#, #"{"amount":5e3}"#, #"{"amount":9223372036854775808}"#,
            #"{"card_number":4111111111111111}"#, #"{"cvv":123}"#, #"{"card_number":["4"]}"#,
            "{\"cvv\":\"1\n\"}",
        ]
    )
    func malformed(body: String) {
        #expect(read(.authorize, body) == nil)
    }

    @Test("missing and null fields have their empty value")
    func missing() {
        let empty = BankCommand.authorize(AuthorizeRequest(cardNumber: "", cvv: "", amount: 0))
        #expect(read(.authorize, "{}") == empty)
        #expect(read(.authorize, "null") == empty)
        #expect(read(.authorize, #"{"card_number":null,"cvv":null,"amount":null}"#) == empty)
        #expect(read(.capture, "{}") == .capture(authorizationID: nil, amount: 0))
        #expect(read(.refund, "{}") == .refund(captureID: nil, amount: 0))
    }

    @Test("identifiers are read for their operation, and an ill-formed one is as good as unknown")
    func identifiers() {
        let id = EffectID(Self.id, .authorization)
        #expect(id != nil)
        #expect(read(.void, #"{"authorization_id":"\#(Self.id)"}"#) == .void(authorizationID: id))
        #expect(
            read(.capture, #"{"authorization_id":"\#(Self.id)","amount":1}"#)
                == .capture(authorizationID: id, amount: 1)
        )
        #expect(read(.refund, #"{"capture_id":"\#(Self.id)","amount":1}"#) == .refund(captureID: nil, amount: 1))
        #expect(read(.void, #"{"authorization_id":"nonsense"}"#) == .void(authorizationID: nil))
    }
}
