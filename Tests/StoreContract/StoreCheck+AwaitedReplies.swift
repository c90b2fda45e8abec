import Core
import Testing

extension StoreCheck {
    /// docs/correctness.md#outcomes-are-reported: one dead letter stands for all messages of a key.
    static var awaitedReplies: [StoreCheck] {
        [
            StoreCheck("each message that was given up hears how its operation ended, once it has, and once") { scene in
                let (command, copies) = try await scene.inReview()
                #expect(try await scene.sweeps.take(limit: 10, hold: .seconds(60)).count == 0)
                let deadLetter = try scene.deadLetter(.capture, "a", command) { $0.messageID = command.messageID }
                _ = try await scene.store.keep(deadLetter)
                let replay = ReplayClaim.random
                _ = try await scene.store.beginReplay(deadLetter.id, by: "op", replay)
                // The one that the dead letter holds is answered by its replay.
                #expect(try await scene.store.endReplay(deadLetter.id, by: "op", replay, .replayed))
                let claim = try await scene.claimedWhenFree(command)
                let result = StoreScene<Subject>.success(claim)
                #expect(try await scene.store.complete(result) == .completed)
                let entries = try await scene.sweeps.take(limit: 10, hold: .seconds(60))
                let expected = copies.map { OutboxMessage(final: result.operation, by: $0.route) }
                // One after the other, as all that goes out about a payment.
                #expect(entries.map(\.content) == [expected[0]])
                try await scene.sweeps.note(entries.map { OutboxEnding($0, .sent) })
                let next = try await scene.sweeps.take(limit: 10, hold: .seconds(60))
                #expect(next.map(\.content) == [expected[1]])
                #expect(next.first?.content.message.body == result.operation.reply)
                try await scene.sweeps.note(next.map { OutboxEnding($0, .undeliverable) })
                #expect(try await scene.sweeps.take(limit: 10, hold: .seconds(60)).count == 0)
            },
            StoreCheck("whom the commit that ends an operation answers hears it only from that") { scene in
                let (command, copies) = try await scene.inReview()
                let seen = try #require(try await scene.view(command.paymentID).operations.last)
                let taken = try #require(
                    try await scene.store.takeForResolution(seen, by: ClaimToken(.random), lease: .seconds(60))
                )
                let result = StoreScene<Subject>.success(taken).notifiedByOutbox(taken)
                #expect(try await scene.store.complete(result) == .completed)
                var replies: [OutboxMessage] = []
                while case let entries = try await scene.sweeps.take(limit: 10, hold: .seconds(60)), !entries.isEmpty {
                    replies += entries.map(\.content).filter { !$0.destination.isEvent }
                    try await scene.sweeps.note(entries.map { OutboxEnding($0, .sent) })
                }
                let expected = copies.map { OutboxMessage(final: result.operation, by: $0.route) }
                #expect(replies == result.outbox.filter { !$0.destination.isEvent } + expected)
            },
        ]
    }
}

extension StoreScene {
    /// A capture in manual review, and two more messages of its key, all of which are owed its reply.
    fileprivate func inReview() async throws -> (Command, copies: [Command]) {
        let payment = try await authorized()
        let first = try command(.capture(amount: nil), payment.id)
        let claim = try await claimed(first)
        let given = OperationResult.needsAttention(claim, reason: "r", sends: EarlierSends(unanswered: 1))
        #expect(try await store.complete(given) == .completed)
        try await store.recordNotified(given.operation, isUndeliverable: false)
        let routes = [
            ReplyRoute(replyTo: "replies.a", correlationID: CorrelationID(bytes: [0xff, 1]), traceparent: "00-1"),
            ReplyRoute(correlationID: "b", isReplyToIgnored: true),
        ]
        let copies = routes.enumerated().map { index, route in
            Command(
                paymentID: first.paymentID,
                merchantID: first.merchantID,
                idempotencyKey: first.idempotencyKey,
                messageID: "copy-\(index)-\(UniqueID.random)",
                parameters: first.parameters,
                deadline: nil,
                route: route
            )
        }
        for command in [first] + copies + copies { try await store.awaitReply(to: command) }
        return (first, copies)
    }
}
