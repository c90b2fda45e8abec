import Core
import Testing

@testable import Processor

@Suite("What is taken of the bank's bodies", .timeLimit(.minutes(1)))
struct BankFieldsTests {
    private func reduced(_ text: String, _ kind: OperationKind?, _ status: Int) throws -> String {
        let body = BankResponse.Body.json(try JSONParser.parse(Array(text.utf8)))
        guard case .json(let value) = BankFields(kind, status: status).reduced(body) else { return "text" }
        return String(decoding: value.encoded, as: UTF8.self)
    }

    /// Every field that some answer of the bank has, and others.
    private static let everything = """
        {"amount":5000,"authorization_id":"auth_1","capture_id":"cap_1","captured_at":"c","card":{"number":"4111111111111111"},\
        "card_number":"4111111111111111","created_at":"n","currency":"USD","cvv":"123","error":"e","expires_at":"x",\
        "message":"m","refund_id":"ref_1","refunded_at":"r","status":"s","trace":["t"],"void_id":"void_1","voided_at":"v"}
        """

    @Test(
        "of each operation and status only the fields of the bank's API",
        arguments: [
            (.authorize, 200, ["amount", "authorization_id", "created_at", "currency", "expires_at", "status"]),
            (.capture, 200, ["amount", "authorization_id", "capture_id", "captured_at", "currency", "status"]),
            (.void, 200, ["authorization_id", "status", "void_id", "voided_at"]),
            (.refund, 201, ["amount", "capture_id", "currency", "refund_id", "refunded_at", "status"]),
            (
                nil, 200,
                [
                    "amount", "authorization_id", "capture_id", "captured_at", "created_at", "currency", "expires_at",
                    "refund_id", "refunded_at", "status",
                ]
            ),
            (.authorize, 402, ["error", "message"]), (.capture, 400, ["error", "message"]),
            (.void, 500, ["error", "message"]), (.refund, 302, ["error", "message"]), (nil, 404, ["error", "message"]),
        ] as [(OperationKind?, Int, [String])]
    )
    func fields(kind: OperationKind?, status: Int, expected: [String]) throws {
        let value = try JSONParser.parse(Array(reduced(Self.everything, kind, status).utf8))
        guard case .object(let members) = value else { throw JSONError.malformed }
        #expect(members.keys.sorted() == expected)
    }

    @Test(
        "a field that is no plain value is none, and what is not an object has none",
        arguments: [
            (
                #"{"amount":[1],"status":{"a":"b"},"currency":null,"authorization_id":true}"#, 200,
                #"{"authorization_id":true,"currency":null}"#
            ),
            (#"{"error":["4111111111111111"],"message":{"pan":"4111111111111111"}}"#, 400, "{}"),
            (#"["4111111111111111"]"#, 200, "{}"), (#""4111111111111111""#, 400, "{}"), ("4111111111111111", 400, "{}"),
        ]
    )
    func plainValues(text: String, status: Int, expected: String) throws {
        #expect(try reduced(text, .authorize, status) == expected)
    }

    @Test(
        "what looks like a card number in a message loses its middle, though nobody knows the card; an id stays whole"
    )
    func numbers() throws {
        let message = #"{"error":"invalid_card","message":"card 4111 1111-1111 1111 and 4242424242424242"}"#
        let expected = #"{"error":"invalid_card","message":"card 4111 11**-**** 1111 and 424242******4242"}"#
        #expect(try reduced(message, .capture, 400) == expected)
        let id = #"{"capture_id":"4111111111111111"}"#
        #expect(try reduced(id, .refund, 200) == id)
        let text = BankFields(.void, status: 400).reduced(.text("no card 4111111111111111"))
        #expect(text == .text("no card 411111******1111"))
    }

    @Test("a text is cut to 1 KiB, and a number is none with more than 64 characters")
    func long() throws {
        let text = #"{"message":"\#(String(repeating: "x", count: 5_000))"}"#
        #expect(try reduced(text, .void, 400) == #"{"message":"\#(String(repeating: "x", count: 1_024))"}"#)
        #expect(try reduced(#"{"amount":\#(String(repeating: "9", count: 65))}"#, .capture, 200) == "{}")
    }
}
