import AMQP
import Core
import TestSupport
import Testing

extension CommandLane {
    @Suite("What the bank says of a card", .timeLimit(.minutes(3)))
    struct EchoTests {
        /// Everything that a bank should not say, and more than its API has.
        private static let body = #"""
            {"error":"card_declined","message":"4111 1111 1111 1111 (4111111111111111), cvv 123, amount 5000","cvv":"123",\#
            "card":{"number":"4111111111111111"},"pan":"4111-1111-1111-1111","debug":["4111111111111111"]}
            """#

        @Test("only the fields of its API are stored and replied, without the card; the reply stays the same forever")
        func echo() async throws {
            try await World.run { world in
                let processor = try await world.startProcessor()
                try await world.bank.answer(402, Self.body, on: .authorize, executes: false)
                let command = TestCommand.authorize()
                let first = try await world.ask(command)
                #expect(first.result == "declined card_declined")
                let expected = JSONValue.object([
                    "error": .string("card_declined"),
                    "message": .string("4111 11** **** 1111 (411111******1111), cvv ***, amount 5000"),
                ])
                #expect(first.json["bank_response"]?["body"] == expected)
                #expect(first.json["error"]?["message"] == expected["message"])
                try await CardDataSearch(world, numbers: ["4111 1111", "4111-1111"]).run()

                try await processor.terminate()
                try await world.startProcessor()
                try await world.send(command)
                try await eventually("the command was answered again") {
                    world.upstream.replies(to: command.correlation).count == 2
                }
                let bodies = Set(world.upstream.replies(to: command.correlation).map(\.message.body))
                #expect(bodies == [first.message.body])
            }
        }
    }
}
