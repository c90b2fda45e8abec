import Core
import Testing

extension StoreCheck {
    static var outbox: [StoreCheck] {
        [
            StoreCheck("reply and event are in the commit that completes, as they are to be published") { scene in
                let route = ReplyRoute(replyTo: "replies.é", correlationID: "c \"1\"", traceparent: "00-1")
                let command = try scene.authorize(route: route)
                let claim = try await scene.claimed(command)
                let result = StoreScene<Subject>.success(claim).notifiedByOutbox(claim)
                #expect(try await scene.sweeps.take(limit: 10, hold: .seconds(60)).count == 0)
                #expect(try await scene.store.complete(result) == .completed)
                #expect(try await scene.store.complete(result) == .completed)
                try await scene.subject.pass(.milliseconds(5))
                #expect(try await scene.sweeps.backlog().outboxOldest > .zero)

                let entries = try await scene.sweeps.take(limit: 10, hold: .seconds(60))
                #expect(entries.map(\.content) == result.outbox)
                #expect(entries.map(\.content.destination) == [.replies("replies.é"), .event(.authorized)])
                #expect(entries.map(\.attempts) == [0, 0])
                let reply = try #require(entries.first?.content.message)
                #expect(reply.body == result.operation.reply)
                #expect(reply.correlationID == "c \"1\"")
                #expect(reply.headers[HeaderName.idempotentReplayed] == .bool(true))
                // Taken: nobody else's for a while.
                #expect(try await scene.sweeps.take(limit: 10, hold: .seconds(60)).count == 0)
                try await scene.sweeps.note(entries.map { OutboxEnding($0, .sent) })
                #expect(try await scene.sweeps.backlog().outboxOldest == .zero)
            },
            StoreCheck("events that the broker has not taken go to the outbox with the first note, and no reply") {
                scene in
                let claim = try await scene.claimed(scene.authorize())
                let result = StoreScene<Subject>.success(claim)
                #expect(try await scene.store.complete(result) == .completed)
                let operation = result.operation
                let events = PaymentEvent.of(operation)
                #expect(events.map(\.name) == [.authorized])
                for _ in 0..<2 {
                    try await scene.store.recordNotified(operation, isUndeliverable: false, relaying: events)
                }
                let entries = try await scene.sweeps.take(limit: 10, hold: .seconds(60))
                #expect(entries.map(\.content) == events.map { OutboxMessage($0, of: operation.paymentID) })
                let stored = try #require(try await scene.view(operation.paymentID).operations.last)
                #expect(stored.isNotified && !stored.areEventsDue)
                #expect(try await scene.sweeps.backlog().eventsWaiting == 1)
                // Nobody waits for an answer because of it.
                #expect(try await scene.sweeps.backlog().outboxOldest == .zero)
                try await scene.sweeps.note(entries.map { OutboxEnding($0, .sent) })
                #expect(try await scene.sweeps.backlog().eventsWaiting == 0)
            },
            StoreCheck("what was published is noted on its own row only, whatever row has its id by now") { scene in
                let (first, second) = (try scene.authorize(), try scene.authorize())
                let claims = [try await scene.claimed(first), try await scene.claimed(second)]
                for claim in claims {
                    let result = StoreScene<Subject>.success(claim).notifiedByOutbox(claim)
                    #expect(try await scene.store.complete(result) == .completed)
                }
                let entries = try await scene.sweeps.take(limit: 10, hold: .zero)
                #expect(entries.count == 4)
                let others = zip(entries, entries.reversed()).map { entry, other in
                    OutboxEntry(id: entry.id, content: other.content, attempts: entry.attempts)
                }
                try await scene.sweeps.note(others.map { OutboxEnding($0, .sent) })
                try await scene.subject.pass(.milliseconds(5))
                let again = try await scene.sweeps.take(limit: 10, hold: .seconds(60))
                #expect(Set(again.map(\.id)) == Set(entries.map(\.id)))
                try await scene.sweeps.note(again.map { OutboxEnding($0, .sent) })
                #expect(try await scene.sweeps.take(limit: 10, hold: .seconds(60)).isEmpty)
            },
            StoreCheck("a superseded completion tells nothing") { scene in
                let stuck = try await scene.stuckCapture()
                let claim = try #require(try await scene.checkUntilDue().claims.first)
                let late = StoreScene<Subject>.success(stuck).notifiedByOutbox(stuck)
                #expect(try await scene.store.complete(late) == .superseded)
                #expect(try await scene.sweeps.take(limit: 10, hold: .seconds(60)).count == 0)
                let result = StoreScene<Subject>.success(claim).notifiedByOutbox(claim)
                #expect(try await scene.store.complete(result) == .completed)
                #expect(try await scene.sweeps.take(limit: 10, hold: .seconds(60)).count == 2)
            },
            StoreCheck("the messages of a payment come in their order, one after the other") { scene in
                let payment = try await scene.notified(scene.authorize())
                _ = try await scene.notified(scene.command(.capture(amount: nil), payment.id))
                _ = try await scene.notified(scene.command(.refund(amount: nil), payment.id))
                _ = try await scene.notified(scene.authorize())
                var events: [PaymentEvent.Name] = []
                for count in [4, 2, 2, 0] {
                    let entries = try await scene.sweeps.take(limit: 10, hold: .seconds(60))
                    #expect(entries.count == count)
                    for entry in entries where entry.content.paymentID == payment.id {
                        if case .event(let name) = entry.content.destination { events.append(name) }
                    }
                    try await scene.sweeps.note(entries.map { OutboxEnding($0, .sent) })
                }
                #expect(events == [.authorized, .captured, .refunded])
            },
            StoreCheck("a postponed one comes again, and nothing of its payment before it") { scene in
                let payment = try await scene.notified(scene.authorize())
                _ = try await scene.notified(scene.command(.void, payment.id))
                let first = try await scene.sweeps.take(limit: 10, hold: .seconds(60))
                try await scene.sweeps.note(first.map { OutboxEnding($0, .postponed(.seconds(2))) })
                #expect(try await scene.sweeps.take(limit: 10, hold: .seconds(60)).count == 0)
                let second = try await scene.takeUntilDue()
                #expect(second.map(\.content) == first.map(\.content))
                #expect(second.allSatisfy { $0.attempts == 1 })
            },
            StoreCheck("what was taken and not noted comes again when its time is over") { scene in
                _ = try await scene.notified(scene.authorize())
                let first = try await scene.sweeps.take(limit: 10, hold: .milliseconds(40))
                #expect(first.count == 2)
                #expect(try await scene.takeUntilDue().map(\.id) == first.map(\.id))
            },
            StoreCheck("takes at the same time never get the same message") { scene in
                for _ in 0..<12 { _ = try await scene.notified(scene.authorize()) }
                let ids = try await withThrowingTaskGroup(of: [OutboxID].self) { group in
                    for _ in 0..<6 {
                        group.addTask { try await scene.sweeps.take(limit: 8, hold: .seconds(60)).map(\.id) }
                    }
                    return try await group.reduce(into: [OutboxID]()) { $0 += $1 }
                }
                #expect(Set(ids).count == ids.count)
                let rest = try await scene.sweeps.take(limit: 100, hold: .seconds(60)).map(\.id)
                #expect(Set(ids + rest).count == 24)
            },
            StoreCheck("one that no queue took is done with, and an old one goes") { scene in
                _ = try await scene.notified(scene.authorize())
                let entries = try await scene.sweeps.take(limit: 10, hold: .seconds(60))
                try await scene.sweeps.note(entries.map { OutboxEnding($0, .undeliverable) })
                #expect(try await scene.sweeps.take(limit: 10, hold: .seconds(60)).count == 0)
                var policy = SweepPolicy()
                policy.keepsRelayed = .zero
                try await scene.subject.pass(.milliseconds(5))
                #expect(try await scene.sweeps.removeOld(policy) == 2)
            },
        ]
    }
}

extension StoreScene {
    /// Completes a command as a sweep does.
    fileprivate func notified(_ command: Command) async throws -> Payment {
        let claim = try await claimed(command)
        let result = Self.success(claim).notifiedByOutbox(claim)
        #expect(try await store.complete(result) == .completed)
        return try #require(result.payment)
    }

    fileprivate func takeUntilDue() async throws -> [OutboxEntry] {
        for _ in 0..<400 {
            let entries = try await sweeps.take(limit: 10, hold: .seconds(60))
            if !entries.isEmpty { return entries }
            try await subject.pass(.milliseconds(25))
        }
        Issue.record("nothing was ever due")
        throw Unexpected()
    }
}

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
