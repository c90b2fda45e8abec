import Core
import Testing

extension StoreCheck {
    /// docs/correctness.md#outcomes-are-reported: one dead letter stands for all messages of a key.
    static var awaitedReplies: [StoreCheck] {
        [
            StoreCheck("each message that was given up hears how its operation ended, once it has, and once") { scene in
                let (command, copies) = try await scene.inReview()
                try await scene.enqueueAwaited()
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
                try await scene.enqueueAwaited()
                // One that no queue takes holds up none to another queue.
                let entries = try await scene.sweeps.take(limit: 10, hold: .seconds(60))
                let expected = Set(copies.map { OutboxMessage(final: result.operation, by: $0.route) })
                #expect(Set(entries.map(\.content)) == expected && entries.count == 2)
                #expect(entries.allSatisfy { $0.content.message.body == result.operation.reply })
                try await scene.sweeps.note(entries.map { OutboxEnding($0, .undeliverable) })
                try await scene.enqueueAwaited()
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
                try await scene.enqueueAwaited()
                let replies = try await scene.takeAllReplies()
                let expected = copies.map { OutboxMessage(final: result.operation, by: $0.route) }
                let own = result.outbox.filter { !$0.destination.isEvent }
                #expect(Set(replies) == Set(own + expected) && replies.count == 3)
            },
            StoreCheck("whose replay failed, and whose dead letter is discarded after the end, is owed its reply") {
                scene in
                let (_, copies) = try await scene.inReview()
                let copy = try #require(copies.first)
                let deadLetter = try scene.deadLetter(.capture, "a", copy) { message in
                    message.messageID = copy.messageID
                    message.replyTo = copy.route.replyTo
                    message.correlationID = copy.route.correlationID
                }
                _ = try await scene.store.keep(deadLetter)
                let replay = ReplayClaim.random
                _ = try await scene.store.beginReplay(deadLetter.id, by: "op", replay)
                #expect(
                    try await scene.store.endReplay(deadLetter.id, by: "op", replay, .notPublished(reason: "refused"))
                )
                let result = StoreScene<Subject>.success(try await scene.claimedWhenFree(copy))
                #expect(try await scene.store.complete(result) == .completed)
                let outcome = try await scene.store.discard(deadLetter.id, by: "op", reason: "resolved")
                #expect(outcome.explanation == nil)
                try await scene.enqueueAwaited()
                let replies = try await scene.takeAllReplies()
                #expect(replies.contains(OutboxMessage(final: result.operation, by: deadLetter.replyRoute)))
            },
            StoreCheck("what is given up again while its replay ends is owed its reply still") { scene in
                let (command, _) = try await scene.inReview()
                let deadLetter = try scene.deadLetter(.capture, "a", command) { $0.messageID = command.messageID }
                _ = try await scene.store.keep(deadLetter)
                let replay = ReplayClaim.random
                _ = try await scene.store.beginReplay(deadLetter.id, by: "op", replay)
                let second = try await scene.claimedWhenFree(command)
                let given = OperationResult.needsAttention(second, reason: "r", sends: EarlierSends(unanswered: 1))
                #expect(try await scene.store.complete(given) == .completed)
                try await scene.store.awaitReply(to: command)
                #expect(try await scene.store.endReplay(deadLetter.id, by: "op", replay, .replayed))
                let seen = try #require(try await scene.view(command.paymentID).operations.last)
                let taken = try #require(
                    try await scene.store.takeForResolution(seen, by: ClaimToken(.random), lease: .seconds(60))
                )
                let result = StoreScene<Subject>.success(taken)
                #expect(try await scene.store.complete(result) == .completed)
                try await scene.enqueueAwaited()
                let replies = try await scene.takeAllReplies()
                #expect(replies.contains(OutboxMessage(final: result.operation, by: command.route)))
            },
        ]
    }
}

extension StoreScene {
    /// A capture in manual review, and two more messages of its key, all of which are owed its reply.
    fileprivate func inReview() async throws -> (Command, copies: [Command]) {
        let payment = try await authorized()
        let id = "first-\(UniqueID.random)"
        let first = Command(
            paymentID: payment.id,
            merchantID: merchant,
            idempotencyKey: try Self.key(),
            messageID: id,
            parameters: .capture(amount: nil),
            deadline: nil,
            route: ReplyRoute(correlationID: CorrelationID(id))
        )
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

    fileprivate func takeAllReplies() async throws -> [OutboxMessage] {
        var replies: [OutboxMessage] = []
        while case let entries = try await sweeps.take(limit: 10, hold: .seconds(60)), !entries.isEmpty {
            replies += entries.map(\.content).filter { !$0.destination.isEvent }
            try await sweeps.note(entries.map { OutboxEnding($0, .sent) })
        }
        return replies
    }

    /// What was checked a moment ago is left alone for a second.
    fileprivate func enqueueAwaited() async throws {
        try await subject.pass(.milliseconds(1_100))
        try await sweeps.enqueueAwaited(limit: 100)
    }
}
