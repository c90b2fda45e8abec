import Core
import Simulation
import Testing

@Suite("When the bank is in trouble", .timeLimit(.minutes(1)))
struct BankTroubleTests {
    @Test("a 500 is asked again soon, under the same key")
    func serverError() throws {
        try World.run { world in
            world.bank.inject(.error500, .error500, into: .authorize)
            let reply = try await world.ask(.authorize, key: "a")
            #expect(reply.outcome == "succeeded")
            #expect(world.deferred.isEmpty)
            #expect(world.bank.requests.count == 3)
            #expect(Set(world.bank.requests.map(\.idempotencyKey)).count == 1)
            let times = world.bank.requests.map(\.at)
            for (before, after) in zip(times, times.dropFirst()) {
                #expect(before.duration(to: after) >= .milliseconds(100))
            }
            #expect(world.bank.ledger.count == 1)
        }
    }

    @Test("after four of them the key rests and its delivery is deferred")
    func serverErrors() throws {
        try World.run { world in
            for _ in 0..<4 { world.bank.inject(.error500, into: .authorize) }
            let reply = try await world.ask(.authorize, key: "a")
            #expect(reply.outcome == "succeeded")
            #expect(world.deferred.map(\.destination) == [.retry(.seconds5)])
            #expect(world.bank.requests.count == 5)
            #expect(try await world.view().operations.map(\.attempts) == [2])
        }
    }

    @Test(
        "after no answer the key rests for the bank's worst case, and the same key then tells what happened",
        arguments: [BankFault.timeoutAfterExecute, .dropAfter, .dropBefore, .garbage]
    )
    func noAnswer(fault: BankFault) throws {
        try World.run { world in
            world.bank.inject(fault)
            let reply = try await world.ask(.authorize, key: "a")
            #expect(reply.outcome == "succeeded")
            #expect(reply.isReplayed == false)
            #expect(world.bank.ledger.count == 1)
            #expect(Set(world.bank.requests.map(\.idempotencyKey)).count == 1)
            let requests = world.bank.requests
            #expect(requests.count == 2)
            if fault != .garbage {
                // The first retry tier that is long enough for the key to have rested.
                #expect(world.deferred.map(\.destination) == [.retry(.seconds30)])
                #expect(requests[0].at.duration(to: requests[1].at) >= .seconds(17))
            }
            let view = try await world.view()
            #expect(view.payment.bank.authorizationID == world.bank.ledger.first?.id)
        }
    }

    @Test("a duplicate that comes while the key rests waits for it")
    func duplicateWhileResting() throws {
        try World.run(consumers: { [$0.consumer(), $0.consumer()] }) { world in
            world.bank.inject(.timeoutAfterExecute)
            world.send(.authorize, key: "a", to: 0)
            try await world.until { !world.deferred.isEmpty }
            world.send(.authorize, key: "a", to: 1)
            try await world.until { world.replies("a").count == 2 }
            #expect(world.bank.ledger.count == 1)
            let times = world.bank.requests.map(\.at)
            #expect(times.count == 2)
            #expect(times[0].duration(to: times[1]) >= .seconds(32))
            #expect(Set(world.replies("a").map(\.message.body)).count == 1)
        }
    }

    @Test("the client hears once that nothing is known: at the second deferral")
    func unknownReply() throws {
        try World.run { world in
            try await world.ask(.authorize, key: "a")
            world.bank.inject(.dropBefore, .dropBefore, .dropBefore, into: .capture)
            world.send(.capture, key: "c")
            try await world.until { world.deferred.count == 1 }
            #expect(world.replies("c").isEmpty)
            try await world.until { world.deferred.count == 2 }
            #expect(world.replies("c").map(\.outcome) == ["unknown"])
            try await world.until { !world.finalReplies("c").isEmpty }
            let replies = world.replies("c")
            #expect(replies.map(\.outcome) == ["unknown", "succeeded"])
            #expect(replies.map(\.code) == ["unknown_outcome", nil])
            #expect(replies.map(\.status) == ["CAPTURING", "CAPTURED"])
            #expect(replies[0].message.messageID != replies[1].message.messageID)
            #expect(replies.count { $0.isReplayed == false } == 1)
            #expect(world.bank.ledger.map(\.operation) == [.authorize, .capture])
        }
    }

    @Test("an outcome that stays unknown climbs the retry tiers for 23 hours; then manual review is needed")
    func needsAttention() throws {
        try World.run(seeds: [nil, 1]) { world in
            try await world.ask(.authorize, key: "a")
            for _ in 0..<60 { world.bank.inject(.dropBefore, into: .capture) }
            world.send(.capture, key: "c")
            try await world.until(hours: 48) { world.deadLetters.count == 1 && world.broker.unacknowledged == 0 }
            let tiers = world.deferred.map(\.destination)
            let first: [RetryTier] = [.seconds30, .seconds30, .minutes2, .minutes10, .hour1]
            #expect(Array(tiers.prefix(5)) == first.map { Destination.retry($0) })
            #expect(tiers.dropFirst(4).allSatisfy { $0 == .retry(.hour1) })
            let sends = world.bank.requests.filter { $0.operation == .capture }.map(\.at)
            let span = try #require(sends.first).duration(to: try #require(sends.last))
            #expect(span > .seconds(22 * 3_600) && span < .seconds(23 * 3_600))
            let deadLetter = try #require(world.deadLetters.first)
            #expect(deadLetter.headers["error-code"] == .string("needs_attention"))
            #expect(deadLetter.headers["error-message"] == .string("bank_key_too_old"))
            #expect(world.replies("c").map(\.outcome) == ["unknown", "unknown"])
            #expect(Set(world.replies("c").map(\.message.messageID)).count == 1)
            let operation = try #require(try await world.view().operations.last)
            #expect(operation.state == .needsAttention)
            #expect(operation.attempts == sends.count + 1)
            #expect(world.count { if case .needsAttention = $0 { true } else { false } } == 1)

            world.send(.capture, key: "c")
            try await world.until { world.replies("c").count == 3 && world.broker.unacknowledged == 0 }
            #expect(world.replies("c").last?.outcome == "unknown")
            // Perhaps the delivery that could not publish it: one more dead letter of the same failure is the same row.
            #expect(Set(world.deadLetters.map { $0.headers["failure-instance"] }).count == 1)
            #expect(world.bank.requests.count { $0.operation == .capture } == sends.count)
        }
    }

    @Test("what was never sent has no age: after days without a bank it is sent, and may be sent again")
    func neverSent() throws {
        try World.run(make: { World(seed: $0, bringsBack: false) }) { world in
            world.bank.inject(.down, into: .authorize)
            let message = world.send(.authorize, key: "a")
            try await world.until { world.deferred.count == 1 }
            try await world.time.sleep(for: .seconds(48 * 3_600))
            world.bank.inject(.dropAfter)
            world.broker.deliver(message)
            try await world.until { world.deferred.count == 2 }
            try await world.time.sleep(for: .seconds(3_600))
            world.broker.deliver(message)
            try await world.until { !world.replies("a").isEmpty }
            #expect(world.replies("a").map(\.outcome) == ["succeeded"])
            #expect(world.bank.ledger.count == 1)
        }
    }

    @Test("a request that was never sent makes nothing ambiguous: a decline after it is a plain one")
    func notSent() throws {
        try World.run { world in
            world.bank.inject(.down, into: .authorize)
            let card = #"{"number":"5555555555554444","cvv":"789","expiry_month":12,"expiry_year":2030}"#
            let reply = try await world.ask(.authorize, key: "a", body: CommandMessage.authorizeBody(card: card))
            #expect(reply.outcome == "declined")
            #expect(reply.code == "insufficient_funds")
            #expect(world.deferred.count == 1)
        }
    }

    private static let emptyCard = #"{"number":"5555555555554444","cvv":"789","expiry_month":12,"expiry_year":2030}"#
    private static let expiredCard = #"{"number":"5105105105105100","cvv":"321","expiry_month":3,"expiry_year":2020}"#

    @Test(
        "a decline after an authorize without an answer is final, once the bank was asked by the key",
        arguments: [(emptyCard, "insufficient_funds", 1), (expiredCard, "card_expired", 0)]
    )
    func declineAfterAmbiguous(card: String, code: String, suspicions: Int) throws {
        try World.run { world in
            world.bank.inject(.dropBefore, into: .authorize)
            let reply = try await world.ask(.authorize, key: "a", body: CommandMessage.authorizeBody(card: card))
            #expect(reply.outcome == "declined" && reply.code == code)
            #expect(world.deadLetters.isEmpty)
            let view = try await world.view()
            #expect(view.payment.status == .failed)
            #expect(view.history.count { $0.cause.contains("possible orphan") } == suspicions)
            #expect(world.count { if case .possibleOrphan(_, .suspected) = $0 { true } else { false } } == suspicions)
            // The request that was cut, the one that was declined, and the question by the key.
            #expect(world.bank.requests.count == 3)
        }
    }

    @Test("a decline that the bank takes back when it is asked by the key was a lie")
    func liedDecline() throws {
        struct LyingBank: Bank {
            let bank: InMemoryBank
            func send(_ request: BankRequest, late: @escaping @Sendable (BankAnswer) -> Void) async -> BankAnswer {
                let answer = await bank.send(request, late: late)
                guard !request.action.isInquiry, bank.requests.count == 2 else { return answer }
                let body = JSONValue.object(["error": .string("invalid_card"), "message": .string("a lock timed out")])
                return .response(BankResponse(status: 400, body: .json(body)))
            }
        }
        try World.run(consumers: { [$0.consumer(bank: LyingBank(bank: $0.bank))] }) { world in
            world.bank.inject(.dropAfter, into: .authorize)
            let reply = try await world.ask(.authorize, key: "a")
            #expect(reply.outcome == "succeeded")
            #expect(world.bank.ledger.count == 1)
            #expect(world.count { if case .possibleOrphan = $0 { true } else { false } } == 0)
        }
    }

    @Test("a second hold behind a lost key is recorded as a possible orphan")
    func possibleOrphan() throws {
        try World.run { world in
            world.bank.inject(.cutAfterExecute)
            let reply = try await world.ask(.authorize, key: "a")
            #expect(reply.outcome == "succeeded")
            #expect(world.bank.ledger.count == 2)
            let view = try await world.view()
            #expect(view.payment.bank.authorizationID == world.bank.ledger.last?.id)
            #expect(view.history.last?.cause.contains("possible orphan") == true)
            #expect(world.count { if case .possibleOrphan(_, .suspected) = $0 { true } else { false } } == 1)
        }
    }

    @Test("after complete errors only, a second hold is unlikely: that is in the history, and no alarm")
    func unlikelyOrphan() throws {
        try World.run { world in
            world.bank.inject(.error500, .error500, into: .authorize)
            try await world.ask(.authorize, key: "a")
            #expect(try await world.view().history.last?.cause.contains("orphan hold unlikely") == true)
            #expect(world.count { if case .possibleOrphan(_, .suspected) = $0 { true } else { false } } == 0)
        }
    }

    @Test("a replay after two unanswered sends accounts for one hold: the other is recorded")
    func orphanBehindReplay() throws {
        try World.run { world in
            // Executed, and its key lost; then executed again, and its answer lost.
            world.bank.inject(.cutAfterExecute, .dropAfter)
            world.send(.authorize, key: "a")
            try await world.until { !world.finalReplies("a").isEmpty }
            #expect(world.bank.ledger.count == 2)
            #expect(world.bank.requests.count == 3)
            #expect(world.finalReplies("a").map(\.outcome) == ["succeeded"])
            #expect(try await world.view().history.count { $0.cause.contains("possible orphan") } == 1)
            #expect(world.count { if case .possibleOrphan = $0 { true } else { false } } == 1)
        }
    }

    @Test(
        "an authorize whose answer cannot be read rests, so that a crash cannot make two holds look like one"
    )
    func unreadableSuccess() throws {
        try World.run { world in
            world.bank.inject(.garbage, into: .authorize)
            world.send(.authorize, key: "a")
            try await world.until { world.deferred.count == 1 }
            #expect(world.bank.requests.count == 1)
            let operation = try #require(try await world.view().operations.first)
            #expect(operation.state == .unknown && operation.sends.unanswered == 1)
            try await world.until { !world.replies("a").isEmpty }
            #expect(world.replies("a").map(\.outcome) == ["succeeded"])
            #expect(world.bank.ledger.count == 1)
        }
    }

    @Test("after 23 hours an operation that may have reached the bank is not sent again")
    func tooOld() throws {
        try World.run(make: { World(seed: $0, bringsBack: false) }) { world in
            world.bank.inject(.dropAfter)
            let message = world.send(.authorize, key: "a")
            try await world.until { world.deferred.count == 1 }
            try await world.time.sleep(for: .seconds(23 * 3_600 + 60))
            world.broker.deliver(message)
            try await world.until { world.deadLetters.count == 1 }
            #expect(world.deadLetters.first?.headers["error-message"] == .string("bank_key_too_old"))
            #expect(world.replies("a").map(\.outcome) == ["unknown"])
            #expect(world.bank.requests.count == 1)
        }
    }

    @Test("shortly before it is")
    func oldEnough() throws {
        try World.run(make: { World(seed: $0, bringsBack: false) }) { world in
            world.bank.inject(.dropAfter)
            let message = world.send(.authorize, key: "a")
            try await world.until { world.deferred.count == 1 }
            try await world.time.sleep(for: .seconds(22 * 3_600))
            world.broker.deliver(message)
            try await world.until { !world.replies("a").isEmpty }
            #expect(world.replies("a").map(\.outcome) == ["succeeded"])
            #expect(world.bank.ledger.count == 1)
        }
    }

    @Test("a card number that the bank echoes is in no reply, no row and no event")
    func echo() throws {
        struct EchoingBank: Bank {
            func send(_ request: BankRequest, late: @escaping @Sendable (BankAnswer) -> Void) async -> BankAnswer {
                guard case .authorize(let card, _) = request.action else { return .notSent(reason: "none") }
                let body = #"{"error":"invalid_card","message":"no card \#(card.number)"}"#
                return .response(BankResponse(status: 400, bytes: Array(body.utf8), isReplayed: false))
            }
        }
        try World.run(consumers: { [$0.consumer(bank: EchoingBank())] }) { world in
            let reply = try await world.ask(.authorize, key: "a")
            #expect(reply.code == "invalid_card")
            let text = String(decoding: reply.message.body, as: UTF8.self)
            #expect(text.contains("no card 411111******1111"))
            let printed = Printed.all(world.observer.events) + Printed.all(world.store.operations) + [text]
            #expect(!printed.contains { $0.contains(CommandMessage.number) })
        }
    }
}
