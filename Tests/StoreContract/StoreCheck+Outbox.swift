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
