import Testing

@testable import Core
@testable import Simulation

/// docs/correctness.md#copied-headers
@Suite("Clean copy", .timeLimit(.minutes(1)))
struct CleanCopyTests {
    @Test("drops what must not travel, and keeps everything else")
    func cleanCopy() {
        let message = CommandMessage.valid {
            $0.correlationID = "c-1"
            $0.replyTo = "replies.a"
            $0.contentEncoding = "identity"
            $0.headers["x-death"] = .other
            $0.headers["x-first-death-queue"] = .string("q")
            $0.headers["X-Delivery-Count"] = .integer(3)
            $0.headers["CC"] = .other
            $0.headers["BCC"] = .other
            $0.headers["cc"] = .string("a")
            $0.headers["deadline"] = .string("2030-01-31T12:00:00Z")
            $0.headers["xylophone"] = .bool(true)
            $0.headers["waiting-since"] = .integer(1)
        }
        let copy = message.cleanCopy(adding: ["error-code": .string("c"), "deadline": .string("other")])
        #expect(
            copy.headers == [
                "payment-id": .string(CommandMessage.paymentID), "idempotency-key": .string("k-1"),
                "deadline": .string("other"), "xylophone": .bool(true), "waiting-since": .integer(1),
                "error-code": .string("c"),
            ]
        )
        var expected = message
        expected.headers = copy.headers
        #expect(copy == expected)
        #expect(copy.cleanCopy() == copy)
    }
}

@Suite("Headers of ours in the hands of a client", .timeLimit(.minutes(1)))
struct OwnHeaderTests {
    private static let forged: [(name: String, value: HeaderValue)] = [
        (HeaderName.expiredUnseen, .bool(true)), (HeaderName.deferrals, .integer(5)),
        (HeaderName.deferrals, .integer(-1)),
        (HeaderName.unroutedSince, .integer(0)), (HeaderName.replayOf, .string("x")), (HeaderName.deferrals, .other),
        (HeaderName.copyMark, .string("00112233445566778899aabbccddeeff")), (HeaderName.errorCode, .string("x")),
    ]

    @Test("change nothing: the command is executed, and waits as long as any other")
    func ignored() throws {
        try World.run(seeds: [nil]) { world in
            for (index, forged) in Self.forged.enumerated() {
                let (payment, key) = (World.payment(index), "a\(index)")
                world.bank.inject(.dropBefore, into: .authorize)
                let before = world.deferred.count
                world.send(.authorize, payment: payment, key: key) { $0.headers[forged.name] = forged.value }
                try await world.until { !world.finalReplies(key).isEmpty }
                #expect(world.finalReplies(key).map(\.outcome) == ["succeeded"])
                let copies = world.deferred.dropFirst(before)
                #expect(copies.map(\.destination) == [.retry(.seconds30)])
                #expect(copies.first?.message.headers[HeaderName.deferrals] == .integer(1))
            }
        }
    }

    @Test("have no share in what the broker gives up: it is sent back, or kept, as any other")
    func givenUp() throws {
        try World.run(consumers: { _ in [] }) { world in
            let feed = DeadLetterFeed()
            feed.add(CommandMessage.valid { $0.headers[HeaderName.unroutedSince] = .integer(0) }, .unrouted)
            try await world.ingesting(feed) { try await world.until { feed.unacknowledged == 0 } }
            #expect(try await world.deadLetters().isEmpty)
            #expect(world.deferred.map(\.destination) == [.retry(.seconds5)])
        }
    }

    @Test("are ours only as a whole, and on the message that they were written for")
    func marks() {
        let marks = CopyMarks(World.fingerprinter)
        let copy = marks.marked(CommandMessage.valid { $0.headers[HeaderName.deferrals] = .integer(3) })
        func isTrusted(_ marks: CopyMarks = CopyMarks(World.fingerprinter), _ change: (inout Message) -> Void) -> Bool {
            var changed = copy
            change(&changed)
            return marks.trusted(changed) == changed
        }
        #expect(isTrusted { _ in })
        #expect(isTrusted { $0.headers["other"] = .integer(1) })
        #expect(!isTrusted { $0.headers[HeaderName.deferrals] = .integer(4) })
        #expect(!isTrusted { $0.headers[HeaderName.waitingSince] = .integer(4) })
        #expect(!isTrusted { $0.headers[HeaderName.idempotencyKey] = .string("other") })
        #expect(!isTrusted { $0.messageID = "other" })
        #expect(!isTrusted(CopyMarks(Fingerprinter(secret: [1]))) { _ in })
        let stripped = CopyMarks(Fingerprinter(secret: [1])).trusted(copy)
        #expect(stripped == CommandMessage.valid())
        // What has nothing of ours is left as it is, and gets no mark.
        #expect(marks.marked(stripped) == stripped && marks.trusted(stripped) == stripped)
    }
}
