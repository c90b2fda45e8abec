import CardSealing
import Core
import HTTPClient
import TestSupport
import Testing

extension CommandLane {
    /// docs/contract.md#sealed-cards, on real servers.
    @Suite("Sealed cards", .timeLimit(.minutes(10)))
    struct SealedCardTests {
        private static func settings(_ files: CardKeyFile...) -> World.Settings {
            World.Settings(processor: [
                "CARDS_KEY_FILES": files.map(\.path).joined(separator: ","), "CARDS_ACCEPT_PLAIN": "false",
            ])
        }

        @Test(
            "approvals and declines are what they are with plain cards, with every algorithm, and no card is anywhere"
        )
        func outcomes() async throws {
            let rsa = try #require(try JSONParser.parse(Array(ForeignCards.text.utf8))["keys"]?.elements.last)
            let files = [try CardKeyFile(.p256), try CardKeyFile(.x25519), try CardKeyFile(rsa)]
            defer { for file in files { file.remove() } }
            try await World.run(Self.settings(files[0], files[1], files[2])) { world in
                try await world.startProcessor()
                let ways: [(CardKey, CardAlgorithm)] = [
                    (files[0].key, .agreement), (files[0].key, .agreementAndWrap), (files[1].key, .agreement),
                    (files[1].key, .agreementAndWrap), (files[2].key, .rsa),
                ]
                for (key, algorithm) in ways {
                    let command = try TestCommand.authorize(sealedFor: key, algorithm)
                    let reply = try await world.ask(command)
                    #expect(reply.result == "succeeded", "\(algorithm)")
                    // Sealed anew, it is the same command.
                    var again = command
                    again.messageID = Random.id
                    again.body =
                        TestCommand.authorize(
                            sealed: try CardSealer.seal(
                                JSONParser.parse(Array(TestCard.ample.json.utf8)),
                                for: command.paymentID,
                                with: files[0].key.publicKey
                            )
                        ).body
                    #expect(try await world.ask(again).body == reply.body)
                    #expect(try await world.ask(.capture(command.paymentID)).result == "succeeded")
                }
                let declines = [
                    (TestCard.empty, "insufficient_funds"), (.wrongCVV, "invalid_cvv"), (.expired, "card_expired"),
                ]
                for (card, code) in declines {
                    let command = try TestCommand.authorize(sealedFor: files[0].key, card: card)
                    #expect(try await world.ask(command).result == "declined \(code)")
                }
                try await CardDataSearch(world).run()
            }
        }

        @Test("each failure is answered as invalid by its reason, and the bank is not asked")
        func failures() async throws {
            let file = try CardKeyFile()
            defer { file.remove() }
            try await World.run(Self.settings(file)) { world in
                try await world.startProcessor()
                let sealed = try TestCommand.authorize(sealedFor: file.key)
                var elsewhere = TestCommand.authorize()
                elsewhere.body = sealed.body
                var tampered = try TestCommand.authorize(sealedFor: file.key)
                tampered.body = tampered.body.replacing(#""}"#, with: #"AAAA"}"#)
                let invalid = TestCard(number: "4111", cvv: "123", expiryMonth: 12, expiryYear: 2030)
                let table: [(TestCommand, String)] = [
                    (try .authorize(sealedFor: .generated(.p256)), "unknown_key"), (elsewhere, "other_payment"),
                    (tampered, "cannot_be_opened"), (.authorize(sealed: "nonsense"), "cannot_be_opened"),
                    (.authorize(sealed: String(repeating: "x", count: 5_000)), "unsupported"),
                    (try .authorize(sealedFor: file.key, card: invalid), "card.number "),
                ]
                for (command, reason) in table {
                    let reply = try await world.ask(command)
                    #expect(reply.result == "rejected invalid_command")
                    #expect(reply.errorMessage?.hasPrefix("sealed_card: \(reason)") == true, "\(reply.body)")
                }
                // A plain one is not taken here.
                let plain = try await world.ask(.authorize())
                #expect(plain.errorMessage?.hasPrefix("card: ") == true)
                #expect(try await world.bank.requests().isEmpty)
                #expect(try await world.ask(sealed).result == "succeeded")
                try await CardDataSearch(world).run()
            }
        }

        @Test("keys rotate while commands go on: none is refused, whichever of the keys it was sealed for")
        func rotation() async throws {
            let (old, new) = (try CardKeyFile(), try CardKeyFile(.x25519))
            defer { for file in [old, new] { file.remove() } }
            try await World.run(Self.settings(old)) { world in
                var sent: [TestCommand] = []
                func send(_ key: CardKey) async throws {
                    let command = try TestCommand.authorize(sealedFor: key)
                    sent.append(command)
                    try await world.send(command)
                }
                var running = try await world.startProcessor()
                try await send(old.key)
                // First both can be opened everywhere, then the new one is current, then the old one is taken out.
                for files in [[old, new], [new, old], [new]] {
                    let paths = files.map(\.path).joined(separator: ",")
                    let next = try await world.startProcessor(nil, ["CARDS_KEY_FILES": paths])
                    for file in files where file.key.id != new.key.id || files.first?.key.id == new.key.id {
                        for _ in 0..<5 { try await send(file.key) }
                    }
                    let (exit, web) = (try await running.terminate(), try await next.admin())
                    #expect(exit == .status(0))
                    running = next
                    let keys = try await web.json("/.well-known/jwks.json")["keys"]?.elements ?? []
                    #expect(keys.map { $0["kid"]?.string } == files.map(\.key.id))
                    #expect(keys.allSatisfy { $0["d"] == nil })
                    await web.shutdown()
                }
                try await send(new.key)
                let replies = try await world.upstream.finalReplies(to: sent)
                #expect(replies.count == sent.count)
                #expect(replies.allSatisfy { $0.result == "succeeded" })
                let late = try await world.ask(try .authorize(sealedFor: old.key))
                #expect(late.errorMessage == "sealed_card: unknown_key")
            }
        }
    }
}
