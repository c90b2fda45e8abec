import AMQP
import BrokerMapping
import Core
import PaymentCommands
import Testing

@testable import Publisher

@Suite("Messages between the domain and the driver", .timeLimit(.minutes(1)))
struct BrokerMappingTests {
    private static let message = Message(
        type: "payment.void.v1",
        contentType: "application/json",
        contentEncoding: "identity",
        messageID: "m-1",
        correlationID: "c-1",
        replyTo: "replies.x",
        headers: ["a": .string("text"), "b": .integer(-7), "c": .bool(true)],
        body: [123, 125]
    )

    @Test("a message comes back as it went, and is persistent on the way")
    func roundTrip() {
        let mapped = AMQPMessage(Self.message)
        #expect(mapped.properties.deliveryMode == .persistent)
        #expect(mapped.properties.headers["b"] == .int(-7))
        #expect(Message(mapped) == Self.message)
        #expect(Message(AMQPMessage(Message())) == Message())
    }

    @Test(
        "a header of a type without a meaning is there, and has none",
        arguments: [
            AMQPValue.double(1), .bytes([255]), .timestamp(1), .decimal(scale: 1, value: 1), .array([]), .table([:]),
            .void,
            .unsigned(.max),
        ]
    )
    func otherTypes(value: AMQPValue) {
        let original = AMQPMessage(properties: AMQPProperties(headers: ["x": value, "y": "text"]))
        let message = Message(original)
        #expect(message.headers == ["x": .other, "y": .string("text")])
        #expect(AMQPMessage(Message(headers: message.headers)).properties.headers == ["y": "text"])
        #expect(AMQPMessage(message).properties.headers == original.properties.headers)
    }

    @Test("an unsigned integer that fits is an integer")
    func unsigned() {
        #expect(HeaderValue(.unsigned(7)) == .integer(7))
    }

    @Test("of a name that arrives twice the first counts")
    func duplicateHeaders() {
        let headers = AMQPTable([("a", .string("first")), ("a", .string("second"))] as [AMQPTable.Element])
        #expect(Message(AMQPMessage(properties: AMQPProperties(headers: headers))).headers == ["a": .string("first")])
    }

    @Test("a copy keeps what is harmless of its original, and neither its priority, its user nor its expiration")
    func copy() {
        var original = AMQPMessage(Self.message)
        original.properties.timestamp = 17
        original.properties.appID = "app"
        original.properties.priority = 3
        original.properties.userID = "somebody"
        original.properties.expiration = "1000"
        original.properties.deliveryMode = .transient
        original.properties.headers["table"] = .table(["k": 1])
        original.properties.headers["x-death"] = .array([])
        let copy = AMQPMessage(Message(original).cleanCopy(adding: ["waiting-since": .integer(5)]))
        var expected = AMQPMessage(Self.message)
        expected.properties.timestamp = 17
        expected.properties.appID = "app"
        expected.properties.headers["table"] = .table(["k": 1])
        // Whose it was, it says in a header.
        expected.properties.headers["published-by"] = "somebody"
        expected.properties.headers["waiting-since"] = 5
        #expect(copy == expected)
    }

    @Test("arguments become a table")
    func arguments() {
        #expect(
            AMQPTable(["x-queue-type": .string("quorum"), "x-delivery-limit": .integer(50), "x": .bool(true)])
                == ["x-queue-type": "quorum", "x-delivery-limit": 50, "x": true]
        )
    }
}

@Suite("A reply as it came", .timeLimit(.minutes(1)))
struct ReceivedReplyTests {
    @Test(
        "gives the exit status of its outcome",
        arguments: [
            (Reply.Outcome.succeeded, PublisherStatus.succeeded), (.declined, .declined), (.rejected, .rejected),
            (.unknown, .unknown),
        ]
    )
    func status(outcome: Reply.Outcome, status: PublisherStatus) throws {
        let reply = try #require(Fixture.reply(outcome))
        #expect(reply.status == status)
        #expect(reply.isFinal == (outcome != .unknown))
    }

    @Test(
        "is none without an outcome that is known and a word on whether it is final",
        arguments: [
            "", "{}", "[]", #"{"outcome":"succeeded"}"#, #"{"final":true}"#, #"{"final":1,"outcome":"succeeded"}"#,
            #"{"final":true,"outcome":"done"}"#, #"{"final":true,"outcome":"succeeded"} x"#,
        ]
    )
    func none(body: String) {
        #expect(Fixture.reply(body) == nil)
    }

    @Test("knows its error's code, and whether it is a stored answer")
    func details() throws {
        let reply = try #require(Fixture.reply(.declined, code: "insufficient_funds"))
        #expect(reply.errorCode == "insufficient_funds")
        #expect(!reply.isReplayed)
        #expect(Fixture.reply(#"{"final":true,"outcome":"declined"}"#, replayed: true)?.isReplayed == true)
    }

    @Test("exit codes are those of the contract")
    func exitCodes() {
        let codes: [PublisherStatus: Int32] = [
            .succeeded: 0, .declined: 2, .rejected: 3, .unknown: 4, .usage: 64, .unavailable: 69, .configuration: 78,
            .interrupted: 130,
        ]
        #expect(codes.allSatisfy { $0.key.rawValue == $0.value })
    }
}
