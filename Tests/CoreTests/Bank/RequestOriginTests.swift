import Core
import Testing

@Suite("The origin of a request to the bank")
struct RequestOriginTests {
    @Test("what is written as bytes is read again, and nothing else is")
    func bytes() throws {
        let origin = RequestOrigin(try PaymentFixture.operation(.authorize, .sent))
        #expect(origin.bytes.count == RequestOrigin.byteCount)
        #expect(RequestOrigin(bytes: origin.bytes) == origin)
        #expect(RequestOrigin(bytes: Array(origin.bytes.dropLast())) == nil)
    }

    static let answers: [(Int, String, Bool)] = [
        (200, #"{"status":"approved"}"#, false), (500, #"{"error":"internal_error"}"#, true), (500, "<html>", false),
        (502, "{}", false), (504, "{}", false), (503, "busy", true), (402, #"{"error":"insufficient_funds"}"#, true),
        (429, "slow down", true), (401, "", true), (400, "not JSON", true), (302, "", false),
    ]

    @Test("an error that comes before anything is executed is a complete error", arguments: answers)
    func completeErrors(status: Int, body: String, isError: Bool) {
        let response = BankResponse(status: status, bytes: Array(body.utf8), isReplayed: false)
        #expect(Verdict.isCompleteError(response) == isError)
    }
}
