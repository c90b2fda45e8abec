import Core
import TestSupport
import Testing

extension CommandLane {
    @Suite("Dead letters with sealed cards", .timeLimit(.minutes(10)))
    struct SealedDeadLetterTests {
        @Test(
            "an authorize is replayed with its sealed card, which is erased then; one that has waited too long is not"
        )
        func replay() async throws {
            let file = try CardKeyFile()
            defer { file.remove() }
            let settings = World.Settings(
                processor: ["CARDS_KEY_FILES": file.path, "CARDS_ACCEPT_PLAIN": "false"],
                deadLetters: 1
            )
            try await World.run(settings) { world in
                try await world.startProcessor()
                let commands = try (0..<2).map { _ in try TestCommand.authorize(sealedFor: file.key) }
                for command in commands {
                    let message = command.unroutedForLong(replyTo: world.upstream.replyQueue)
                    try await world.upstream.publish(message, to: world.names.unrouted)
                }
                try await world.keptDeadLetters(2)
                let listed = try await world.deadLettersJSON("list")["dead_letters"]?.elements ?? []
                #expect(listed.count == 2)
                #expect(listed.allSatisfy { $0["replayable"] == .bool(true) })
                #expect(listed.allSatisfy { $0["card"]?.string == "411111******1111" })
                let kept = "SELECT count(*) FROM dead_letters WHERE sealed_card IS NOT NULL"
                #expect(try await world.database.number(kept) == 2)

                let (first, second) = (
                    try #require(Self.id(of: commands[0], in: listed)),
                    try #require(Self.id(of: commands[1], in: listed))
                )
                let replayed = try await world.deadLetters("replay", first, "--confirm", "1")
                #expect(replayed.exit == .status(0), "\(replayed.errors)")
                #expect(try await world.upstream.finalReply(to: commands[0]).result == "succeeded")
                #expect(try await world.database.number(kept) == 1)
                let shown = try await world.deadLettersJSON("show", first)
                #expect(
                    shown["audit"]?.elements.compactMap { $0["result"]?.string } == ["started", "replayed", "erased"]
                )
                #expect(shown["body"]?["sealed_card"] == nil)

                let swept = try await world.command(
                    ["sweeps", "run", "retention", "--json"],
                    ["DEAD_LETTERS_SEALED_CARD_RETENTION": "0s"]
                )
                #expect(swept.exit == .status(0), "\(swept.errors)")
                #expect(try await world.database.number(kept) == 0)
                let late = try await world.deadLetters("replay", second, "--confirm", "1")
                #expect(late.exit == .status(1))
                let erased = try await world.deadLettersJSON("show", second)
                #expect(erased["replayable"] == .bool(false))
                #expect(erased["audit"]?.elements.compactMap { $0["reason"]?.string } == ["its time is over"])
                try await CardDataSearch(world).run()
            }
        }

        private static func id(of command: TestCommand, in listed: [JSONValue]) -> String? {
            listed.first { $0["message_id"]?.string == command.messageID }?["id"]?.string
        }
    }
}
