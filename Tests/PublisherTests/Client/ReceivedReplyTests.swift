import Core
import PaymentCommands
import Testing

@testable import Publisher

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
