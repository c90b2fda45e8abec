import Core
import PaymentCommands
import Testing

@testable import Publisher

@Suite("A command on its way out", .timeLimit(.minutes(1)))
struct OutgoingCommandTests {
    @Test("has every field of the contract")
    func message() throws {
        let deadline = try #require(Timestamp("2030-01-31T12:00:00Z"))
        let command = OutgoingCommand(
            kind: .capture,
            paymentID: Fixture.paymentID,
            idempotencyKey: "k-1",
            merchantID: "shop",
            deadline: deadline,
            body: .object(["amount": .number("5000")])
        )
        let id = try #require(UniqueID(Fixture.paymentID))
        let message = command.message(id: id, correlationID: "c-1", replyTo: "replies.publisher.x")
        #expect(
            message
                == Message(
                    type: "payment.capture.v1",
                    contentType: "application/json",
                    messageID: Fixture.paymentID,
                    correlationID: "c-1",
                    replyTo: "replies.publisher.x",
                    headers: [
                        "payment-id": .string(Fixture.paymentID), "idempotency-key": .string("k-1"),
                        "merchant-id": .string("shop"), "deadline": .string("2030-01-31T12:00:00.000000Z"),
                        "traceparent": .string("00-0195a7c26f0e7c3a9c551f2e3d4c5b6a-9c551f2e3d4c5b6a-01"),
                    ],
                    body: Array(#"{"amount":5000}"#.utf8)
                )
        )
    }

    @Test("has no header for what was not given")
    func optionalHeaders() {
        let command = OutgoingCommand(
            kind: .void,
            paymentID: Fixture.paymentID,
            idempotencyKey: "k",
            merchantID: nil,
            body: .object([:])
        )
        let headers = command.message(id: Identifier.unique(), correlationID: "c", replyTo: nil).headers
        #expect(headers.keys.sorted() == ["idempotency-key", "payment-id", "traceparent"])
    }

    @Test("gets a new key and a new payment id where none is given")
    func generated() throws {
        let commands = (0..<100).map { _ in authorize(key: nil) }
        #expect(Set(commands.map(\.idempotencyKey)).count == 100)
        #expect(Set(commands.map(\.paymentID)).count == 100)
        #expect(commands.allSatisfy { PaymentID($0.paymentID)?.description == $0.paymentID })
    }

    @Test("means the same payment whenever it is sent under a given key")
    func derived() {
        let first = authorize(key: "k-1")
        #expect(first.paymentID == authorize(key: "k-1").paymentID)
        #expect(first.paymentID == authorize(key: "k-1", merchantID: "default").paymentID)
        #expect(first.paymentID != authorize(key: "k-2").paymentID)
        #expect(first.paymentID != authorize(key: "k-1", merchantID: "shop").paymentID)
        // Version 8 and the variant of RFC 9562; fixed, because clients may come back years later.
        #expect(first.paymentID == "f37133d8-d22a-82c4-939c-19e94df0dbe2")
    }

    @Test("has a trace of its own each time")
    func traces() {
        let traces = Set((0..<100).map { _ in Identifier.traceparent(of: Identifier.unique()) })
        #expect(traces.count == 100)
        #expect(traces.allSatisfy { TraceParent.wellFormed($0) != nil })
    }

    private func authorize(key: String?, merchantID: String? = nil) -> OutgoingCommand {
        OutgoingCommand(
            kind: .authorize,
            paymentID: nil,
            idempotencyKey: key,
            merchantID: merchantID,
            body: .object([:])
        )
    }
}
