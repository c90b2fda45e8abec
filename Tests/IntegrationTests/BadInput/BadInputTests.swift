import AMQP
import BrokerMapping
import Core
import TestSupport
import Testing

extension CommandLane {
    @Suite("Bad input", .timeLimit(.minutes(10)))
    struct BadInputTests {
        @Test("bad messages are answered or dead-lettered with the field's name, and good ones between them go through")
        func table() async throws {
            let cases = BadMessage.all
            let deadLetters = cases.count { $0.fate == .deadLettered }
            try await World.run(World.Settings(deadLetters: deadLetters)) { world in
                let processor = try await world.startProcessor()
                var bad: [(case: BadMessage, command: TestCommand)] = []
                var good: [TestCommand] = []
                for badMessage in cases {
                    let command = TestCommand.authorize()
                    var message = command.message(replyTo: world.upstream.replyQueue)
                    badMessage.change(&message)
                    try await world.upstream.publish(message, to: world.names.commandsExchange)
                    bad.append((badMessage, command))
                    good.append(.authorize())
                    try await world.send(good.suffix(1))
                }
                let replies = try await world.upstream.finalReplies(to: good)
                #expect(replies.allSatisfy { $0.result == "succeeded" })

                for (badMessage, command) in bad where badMessage.fate == .answered {
                    try await checkReply(to: command, badMessage, in: world)
                }
                let deadLetters = try await world.keptDeadLetters(deadLetters)
                for (badMessage, command) in bad where badMessage.fate == .deadLettered {
                    let deadLetter = try #require(deadLetters.first { $0["message_id"]?.string == command.messageID })
                    let error = deadLetter["message"]?.string ?? ""
                    #expect(error.hasPrefix("\(badMessage.field): "), "\(badMessage.name)")
                    #expect(deadLetter["code"]?.string == "invalid_command", "\(badMessage.name)")
                    #expect(deadLetter["card"]?.string == "411111******1111", "\(badMessage.name)")
                    #expect(deadLetter["headers"]?["x-death"] == nil, "\(badMessage.name)")
                    #expect(!world.upstream.allReplies.contains { $0.json["idempotency_key"]?.string == command.key })
                }
                #expect(processor.child.isRunning)
                #expect(try await world.bank.requests().count == good.count)
                try await CardDataSearch(world, numbers: cases.compactMap(\.secret)).run()
            }
        }

        /// The reply is found by its key: what is wrong may be what usually names it.
        private func checkReply(to command: TestCommand, _ bad: BadMessage, in world: World) async throws {
            let reply: ReceivedReply = try await eventually("there was a reply to \(bad.name)") {
                world.upstream.allReplies.first { $0.json["idempotency_key"]?.string == command.key }
            }
            let properties = reply.message.properties
            #expect(reply.result == "rejected invalid_command", "\(bad.name)")
            #expect(reply.errorMessage?.hasPrefix("\(bad.field): ") == true, "\(bad.name): \(reply.body)")
            #expect(reply.isFinal, "\(bad.name)")
            #expect(reply.json["payment"] == .null, "\(bad.name)")
            #expect(reply.json["bank_response"] == .null, "\(bad.name)")
            #expect(properties.type == "payment.authorize.result.v1", "\(bad.name)")
            #expect(properties.messageID?.isEmpty == false, "\(bad.name)")
            #expect(properties.headers["idempotency-key"]?.stringValue == command.key, "\(bad.name)")
            // A header whose value was invalid is left out.
            let isPaymentIDValid = bad.field != "payment-id"
            #expect((properties.headers["payment-id"] != nil) == isPaymentIDValid, "\(bad.name)")
            #expect((reply.json["payment_id"] != .null) == isPaymentIDValid, "\(bad.name)")
            #expect((properties.headers["merchant-id"] != nil) == (bad.field != "merchant-id"), "\(bad.name)")
            for secret in [bad.secret, TestCard.ample.number].compactMap(\.self) {
                #expect(!reply.body.contains(secret), "\(bad.name)")
            }
        }

        @Test(
            "a thousand random messages among a hundred good ones stop nothing, and each is answered or dead-lettered"
        )
        func fuzz() async throws {
            let seed = UInt64.random(in: 0 ... .max)
            try await World.run(World.Settings(deadLetters: nil)) { world in
                let processor = try await world.startProcessor()
                var fuzzer = MessageFuzzer(seed: seed)
                let good = (0..<100).map { _ in TestCommand.authorize() }
                try await withThrowingTaskGroup(of: Void.self) { group in
                    for number in 0..<1_000 {
                        let message = fuzzer.next(replyTo: world.upstream.replyQueue)
                        let exchange = world.names.commandsExchange
                        group.addTask { try await world.upstream.publish(message, to: exchange) }
                        if number.isMultiple(of: 10) { group.addTask { try await world.send(good[number / 10]) } }
                    }
                    try await group.waitForAll()
                }
                let replies = try await world.upstream.finalReplies(to: good)
                #expect(replies.allSatisfy { $0.result == "succeeded" }, "seed \(seed)")
                var count = 0
                try await eventually("all messages were accounted for", context: { "\(count) are, seed \(seed)" }) {
                    let queued = try await world.upstream.withConnection {
                        try await $0.messageCount(of: world.names.repliesQueue)
                    }
                    count = queued + world.upstream.replyCount + (try await world.openDeadLetters())
                    return count == 1_100
                }
                #expect(processor.child.isRunning, "seed \(seed)")
                try await world.keptDeadLetters(try await world.openDeadLetters())
            }
        }
    }
}

extension CommandLane {
    /// docs/contract.md#merchants
    @Suite("Merchants", .timeLimit(.minutes(10)))
    struct MerchantsTests {
        @Test("whoever publishes acts for their own merchants only, also after a retry; the publisher says who it is")
        func access() async throws {
            let directory = try ScratchDirectory()
            defer { directory.remove() }
            let file = directory.file("merchants")
            try await World.run(World.Settings(processor: ["MERCHANTS_FILE": file])) { world in
                let user = try AMQPConfiguration(url: world.servers.amqpURL).user
                try ScratchDirectory.write("# who may act for whom\n\(user) shop,default\n", to: file)
                try await world.startProcessor()
                let payment = Random.id
                let authorize = [
                    "authorize", "--amount", "5000", "--order-id", "o", "--customer-id", "c", "--card",
                    TestCard.ample.number, "--cvv", TestCard.ample.cvv, "--expiry", "12/2030", "--json",
                ]
                let own = try await world.publisher(authorize + ["--merchant-id", "shop", "--payment-id", payment])
                #expect(own.exit == .status(0), "\(own.errors)")
                let other = try await world.publisher(authorize + ["--merchant-id", "another"])
                #expect(other.exit == .status(3), "\(other.errors)")
                #expect(other.output.contains("merchant-id: "))

                // A capture that comes before its authorize waits on a retry tier, and comes again as a copy.
                let late = TestCommand.authorize()
                var capture = TestCommand.capture(late.paymentID).message(replyTo: nil)
                capture.properties.userID = user
                try await world.upstream.publish(capture, to: world.names.commandsExchange)
                var first = late.message(replyTo: nil)
                first.properties.userID = user
                try await world.upstream.publish(first, to: world.names.commandsExchange)
                try await eventually("the payment was captured") {
                    try await world.database.number(
                        "SELECT count(*) FROM payments WHERE id = '\(late.paymentID)' AND status = 'CAPTURED'"
                    ) == 1
                }
                // Nobody vouches for this one; its rejection goes to the common queue.
                let nobody = TestCommand.authorize()
                try await world.send(nobody)
                try await eventually("it was rejected") {
                    try await world.upstream.browse(world.names.repliesQueue).contains { message in
                        let body = String(decoding: message.body, as: UTF8.self)
                        return body.contains(nobody.key) && body.contains("user_id: ")
                    }
                }
                #expect(try await world.bank.ledger().count == 3)
            }
        }
    }
}
