import Core
import Testing

extension StoreCheck {
    static var deadLetters: [StoreCheck] { keeping + acting + listing }

    private static var keeping: [StoreCheck] {
        [
            StoreCheck("a dead letter is read back as it was kept, and kept once") { scene in
                let deadLetter = try scene.deadLetter(.authorize, "a") { message in
                    message.headers["number"] = .integer(-1)
                    message.headers["flag"] = .bool(false)
                    message.headers["other"] = .other
                    message.headers["é \"\\/"] = .string("漢 \u{1}")
                    message.replyTo = "replies.a"
                    message.correlationID = CorrelationID(bytes: [0x63, 0xff, 0])
                }
                #expect(deadLetter.content.card == "411111******1111")
                #expect(try await scene.store.keep(deadLetter) == .stored)
                let view = try #require(try await scene.store.deadLetter(deadLetter.id))
                #expect(view.deadLetter == deadLetter)
                #expect(view.audit.isEmpty)
                let again = try scene.deadLetter(
                    .authorize,
                    "a",
                    id: DeadLetterID(.random),
                    instance: deadLetter.instance
                )
                #expect(try await scene.store.keep(again) == .known)
                #expect(try await scene.store.deadLetter(again.id) == nil)
            },
            StoreCheck("a dead letter is linked to the one whose replay it is, where there is that one") { scene in
                let first = try scene.deadLetter(.capture, "a")
                let id = DeadLetterID(.random)
                for (origin, expected) in [(first.id, first.id), (id, nil)] as [(DeadLetterID, DeadLetterID?)] {
                    _ = try await scene.store.keep(first)
                    let deadLetter = try scene.deadLetter(.capture, "b") {
                        $0.headers["replay-of"] = .string(origin.description)
                    }
                    #expect(try await scene.store.keep(deadLetter) == .stored)
                    #expect(try await scene.store.deadLetter(deadLetter.id)?.deadLetter.replayOf == expected)
                }
            },
            StoreCheck("returns are counted once per failure, up to the limit") { scene in
                let message = "m-\(UniqueID.random)"
                let instances = (0..<4).map { _ in FailureInstance.random }
                var counts: [Int?] = []
                for index in [0, 0, 1, 0, 2, 3, 2, 1, 3] {
                    counts.append(try await scene.store.countReturn(of: message, instances[index], limit: 3))
                }
                #expect(counts.map { $0 != nil } == [true, true, true, true, true, false, true, true, false])
                #expect(counts[0] == 1 && counts[2] == 2 && counts[4] == 3)
                #expect(try await scene.store.countReturn(of: "n-\(message)", instances[0], limit: 3) == 1)
            },
            StoreCheck("a broker's dead letter hands an open operation to manual review, when its lease is over") {
                scene in
                let payment = try await scene.authorized()
                let command = try scene.command(.capture(amount: nil), payment.id)
                let claim = try await scene.claimed(command, lease: StoreScene<Subject>.shortLease)
                var deadLetter = try scene.deadLetter(.capture, "a", command, origin: .unrouted)
                _ = try await scene.store.keep(try scene.deadLetter(.capture, "b", command))
                #expect(try await scene.view(payment.id).operations.last?.state == .sent)
                for _ in 0..<400 where try await scene.view(payment.id).operations.last?.state == .sent {
                    try await scene.subject.pass(.milliseconds(25))
                    deadLetter = try scene.deadLetter(.capture, "c", command, origin: .unrouted)
                    #expect(try await scene.store.keep(deadLetter) == .stored)
                }
                let view = try await scene.view(payment.id)
                #expect(view.operations.last?.state == .needsAttention)
                // Its holder never came back: it may have sent its request.
                #expect(view.operations.last?.sends.unanswered == 1)
                #expect(view.operations.last?.lastError == "unrouted")
                #expect(view.operations.last?.fencingToken == claim.operation.fencingToken)
                #expect(view.history.last?.cause == "capture needs attention: dead letter unrouted")
                #expect(try await scene.store.complete(StoreScene<Subject>.success(claim)) == .superseded)
            },
            StoreCheck("it leaves completed ones and other payments' alone") { scene in
                let payment = try await scene.authorized()
                let command = try scene.command(.capture(amount: nil), payment.id)
                _ = try await scene.succeeded(command)
                _ = try await scene.store.keep(try scene.deadLetter(.capture, "a", command, origin: .unrouted))
                #expect(try await scene.view(payment.id).operations.last?.state == .succeeded)
            },
        ]
    }

    private static var acting: [StoreCheck] {
        [
            StoreCheck("a replay goes from open to replaying to replayed, each with its row in the audit") { scene in
                let deadLetter = try scene.deadLetter(.capture, "a")
                _ = try await scene.store.keep(deadLetter)
                let (first, second) = (ReplayClaim.random, ReplayClaim.random)
                guard case .publish(let next) = try await scene.store.beginReplay(deadLetter.id, by: "first", first)
                else {
                    Issue.record("not published")
                    return
                }
                #expect(next.state == .replaying && next.claim?.claim == first && next.content == deadLetter.content)
                #expect(try await scene.store.deadLetter(deadLetter.id)?.deadLetter == next)
                // While its lease runs it is nobody else's: also not of the same replay, taken up by another process.
                for other in [second, ReplayClaim(replay: first.replay, fencingToken: 2)] {
                    let step = try await scene.store.beginReplay(deadLetter.id, by: "second", other)
                    guard case .held(let remaining) = step else {
                        Issue.record("\(step)")
                        return
                    }
                    #expect(remaining > .zero && remaining <= ReplayClaim.lease)
                    #expect(try await scene.store.endReplay(deadLetter.id, by: "second", other, .replayed) == false)
                }
                let discard = try await scene.store.discard(deadLetter.id, by: "third", reason: "early")
                #expect(discard == .refused(.replaying))
                // A commit whose answer was lost.
                guard case .publish = try await scene.store.beginReplay(deadLetter.id, by: "first", first) else {
                    Issue.record("not its own any more")
                    return
                }
                #expect(try await scene.store.endReplay(deadLetter.id, by: "first", first, .replayed))
                #expect(try await scene.store.endReplay(deadLetter.id, by: "first", first, .replayed) == false)
                #expect(
                    try await scene.store.beginReplay(deadLetter.id, by: "third", second) == .skip(.alreadyReplayed)
                )
                let resumed = ReplayClaim(replay: first.replay, fencingToken: 2)
                #expect(try await scene.store.beginReplay(deadLetter.id, by: "first", resumed) == .ended)
                let late = try await scene.store.discard(deadLetter.id, by: "third", reason: "late")
                #expect(late == .refused(.replayed))
                let view = try #require(try await scene.store.deadLetter(deadLetter.id))
                #expect(view.deadLetter.state == .replayed)
                #expect(view.audit.map(\.result) == ["started", "started", "replayed"])
                #expect(view.audit.map(\.actor) == ["first", "first", "first"])
            },
            StoreCheck("a replay that was not published leaves it open, and so does one that may have been") { scene in
                let deadLetter = try scene.deadLetter(.capture, "a")
                _ = try await scene.store.keep(deadLetter)
                var filter = DeadLetterFilter()
                filter.merchantID = scene.merchant
                func found(_ state: DeadLetterState) async throws -> Int {
                    filter.states = [state]
                    return try await scene.store.deadLetters(filter, limit: 10).count
                }
                for end in [ReplayEnd.notPublished(reason: "full"), .unknown(reason: "lost")] {
                    let claim = ReplayClaim.random
                    guard case .publish = try await scene.store.beginReplay(deadLetter.id, by: "op", claim) else {
                        Issue.record("not open")
                        return
                    }
                    #expect(try await found(.open) == 0)
                    #expect(try await found(.replaying) == 1)
                    #expect(try await scene.store.endReplay(deadLetter.id, by: "op", claim, end))
                    #expect(try await scene.store.deadLetter(deadLetter.id)?.deadLetter.state == .open)
                    #expect(try await found(.open) == 1)
                    #expect(try await found(.replaying) == 0)
                }
                let audit = try #require(try await scene.store.deadLetter(deadLetter.id)?.audit)
                #expect(audit.map(\.result) == ["started", "failed", "started", "failed"])
                #expect(audit.map(\.reason) == [nil, "full", nil, "lost"])
                let outcome = try await scene.store.discard(deadLetter.id, by: "op", reason: "a test")
                #expect(outcome == .discarded(leaving: nil))
            },
            StoreCheck("a discard needs an open dead letter, and is written down with its reason") { scene in
                let deadLetter = try scene.deadLetter(.capture, "a")
                _ = try await scene.store.keep(deadLetter)
                let outcome = try await scene.store.discard(deadLetter.id, by: "op", reason: "a test")
                #expect(outcome == .discarded(leaving: nil))
                let again = try await scene.store.discard(deadLetter.id, by: "op", reason: "again")
                #expect(again == .refused(.discarded))
                #expect(try await scene.store.beginReplay(deadLetter.id, by: "op", .random) == .skip(.discarded))
                let view = try #require(try await scene.store.deadLetter(deadLetter.id))
                #expect(view.deadLetter.state == .discarded)
                #expect(view.audit.map(\.action) == ["discard"] && view.audit.map(\.reason) == ["a test"])
            },
            StoreCheck("what is not there is said not to be there") { scene in
                let id = DeadLetterID(.random)
                #expect(try await scene.store.beginReplay(id, by: "op", .random) == .skip(.notFound))
                #expect(try await scene.store.endReplay(id, by: "op", .random, .replayed) == false)
                let outcome = try await scene.store.discard(id, by: "op", reason: "r")
                #expect(outcome == .notFound)
                #expect(try await scene.store.deadLetter(id) == nil)
            },
            StoreCheck("a replay reopens the operation that waits for manual review, once for each time that it does") {
                scene in
                let payment = try await scene.authorized()
                let command = try scene.command(.capture(amount: nil), payment.id)
                let claim = try await scene.claimed(command)
                let attention = OperationResult.needsAttention(
                    claim,
                    reason: "echo_differs",
                    sends: EarlierSends(unanswered: 1)
                )
                #expect(try await scene.store.complete(attention) == .completed)
                let deadLetter = try scene.deadLetter(.capture, "a", command)
                _ = try await scene.store.keep(deadLetter)

                let first = ReplayClaim.random
                _ = try await scene.store.beginReplay(deadLetter.id, by: "op", first)
                var operation = try #require(try await scene.view(payment.id).operations.last)
                #expect(operation.state == .unknown && operation.attempts == 0 && operation.isAmbiguous)
                #expect(operation.fencingToken == claim.operation.fencingToken)
                let note = try await scene.view(payment.id).history.last
                #expect(note?.cause == "capture reopened: its dead letter is replayed" && note?.from == note?.to)

                let second = try await scene.claimedWhenFree(command)
                #expect(
                    second.operation.fencingToken == claim.operation.fencingToken + 1 && second.operation.attempts == 1
                )
                let failed = OperationResult.needsAttention(
                    second,
                    reason: "echo_differs",
                    sends: EarlierSends(unanswered: 1)
                )
                #expect(try await scene.store.complete(failed) == .completed)
                // Cut off before its end: the copy has had its turn already.
                _ = try await scene.store.beginReplay(deadLetter.id, by: "op", first)
                operation = try #require(try await scene.view(payment.id).operations.last)
                #expect(operation.state == .needsAttention)
                #expect(try await scene.store.endReplay(deadLetter.id, by: "op", first, .replayed))

                let newer = try scene.deadLetter(.capture, "b", command)
                _ = try await scene.store.keep(newer)
                _ = try await scene.store.beginReplay(newer.id, by: "op", .random)
                let third = try await scene.claimedWhenFree(command)
                #expect(try await scene.store.complete(StoreScene<Subject>.success(third)) == .completed)
            },
            StoreCheck("of many replays at the same time one publishes it") { scene in
                let deadLetter = try scene.deadLetter(.capture, "a")
                _ = try await scene.store.keep(deadLetter)
                let ends = try await withThrowingTaskGroup(of: Bool.self) { group in
                    for number in 0..<8 {
                        group.addTask {
                            let claim = ReplayClaim.random
                            let step = try await scene.store.beginReplay(deadLetter.id, by: "op \(number)", claim)
                            guard case .publish = step else { return false }
                            #expect(
                                try await scene.store.endReplay(deadLetter.id, by: "op \(number)", claim, .replayed)
                            )
                            return true
                        }
                    }
                    return try await group.reduce(into: []) { $0.append($1) }
                }
                #expect(ends.count { $0 } == 1)
                let audit = try #require(try await scene.store.deadLetter(deadLetter.id)?.audit)
                #expect(audit.count { $0.result == "replayed" } == 1)
            },
        ]
    }

    private static var listing: [StoreCheck] {
        [
            StoreCheck("dead letters are listed newest first, selected oldest first, by every filter") { scene in
                let payment = PaymentID(.random)
                let command = try scene.command(.void, payment)
                var deadLetters: [DeadLetter] = []
                for (number, kind) in [OperationKind.void, .capture, .void].enumerated() {
                    let deadLetter = try scene.deadLetter(
                        kind,
                        "\(number)",
                        kind == .void ? command : nil,
                        ago: 300 - number * 100
                    )
                    _ = try await scene.store.keep(deadLetter)
                    deadLetters.append(deadLetter)
                }
                var own = DeadLetterFilter()
                own.merchantID = scene.merchant
                func found(_ change: (inout DeadLetterFilter) -> Void, limit: Int = 10) async throws -> [Int] {
                    var filter = own
                    change(&filter)
                    let listed = try await scene.store.deadLetters(filter, limit: limit).map(\.id)
                    let selected = try await scene.store.deadLetterIDs(.matching(filter, limit: nil))
                    if limit == 10 { #expect(selected == listed.reversed()) }
                    return listed.compactMap { id in deadLetters.firstIndex { $0.id == id } }
                }
                #expect(try await found { _ in } == [2, 1, 0])
                #expect(try await found({ _ in }, limit: 2) == [2, 1])
                #expect(try await found { $0.kind = .void } == [2, 0])
                #expect(try await found { $0.paymentID = payment } == [2, 0])
                #expect(try await found { $0.code = "needs_attention" } == [2, 1, 0])
                #expect(try await found { $0.code = "unrouted" } == [])
                #expect(try await found { $0.merchantID = MerchantID(verified: "nobody") } == [])
                #expect(try await found { $0.olderThan = .seconds(150) } == [1, 0])
                #expect(try await found { $0.newerThan = .seconds(150) } == [2])
                _ = try await scene.store.discard(deadLetters[0].id, by: "op", reason: "r")
                #expect(try await found { $0.states = [.open] } == [2, 1])
                #expect(try await found { $0.states = [.discarded, .replayed] } == [0])
                #expect(try await found { $0.states = [] } == [])
                #expect(try await found { $0.before = DeadLetterCursor(deadLetters[2]) } == [1, 0])
                #expect(try await found { $0.before = DeadLetterCursor(deadLetters[0]) } == [])
                let limited = try await scene.store.deadLetterIDs(.matching(own, limit: 2))
                #expect(limited == [deadLetters[0].id, deadLetters[1].id])
                let named = try await scene.store.deadLetterIDs(
                    .ids([deadLetters[2].id, DeadLetterID(.random), deadLetters[1].id])
                )
                #expect(named == [deadLetters[1].id, deadLetters[2].id])
            },
            StoreCheck("dead letters are found by the order of their payment") { scene in
                let order = "order-\(UniqueID.random)"
                let payment = try await scene.authorized(order: order, customer: "c")
                let own = try scene.deadLetter(.void, "a", try scene.command(.void, payment.id))
                for deadLetter in [own, try scene.deadLetter(.capture, "b")] {
                    _ = try await scene.store.keep(deadLetter)
                }
                var filter = DeadLetterFilter()
                filter.orderID = order
                #expect(try await scene.store.deadLetters(filter, limit: 10).map(\.id) == [own.id])
                filter.orderID = "another"
                #expect(try await scene.store.deadLetters(filter, limit: 10).isEmpty)
            },
            StoreCheck("what an action would come to is reported, and nothing is changed by that") { scene in
                let deadLetter = try scene.deadLetter(.void, "a")
                let card = try scene.deadLetter(.authorize, "b")
                for deadLetter in [deadLetter, card] { _ = try await scene.store.keep(deadLetter) }
                guard case .publish = try await scene.store.replayStep(of: deadLetter.id) else {
                    Issue.record("it is not published")
                    return
                }
                #expect(try await scene.store.replayStep(of: card.id) == .skip(.cardReduced))
                #expect(try await scene.store.discardOutcome(of: card.id) == .discarded(leaving: nil))
                let view = try await scene.store.deadLetter(deadLetter.id)
                #expect(view?.deadLetter.state == .open && view?.audit.isEmpty == true)
                _ = try await scene.store.discard(deadLetter.id, by: "op", reason: "r")
                #expect(try await scene.store.replayStep(of: deadLetter.id) == .skip(.discarded))
                #expect(try await scene.store.discardOutcome(of: deadLetter.id) == .refused(.discarded))
                let nobody = DeadLetterID(.random)
                #expect(try await scene.store.replayStep(of: nobody) == .skip(.notFound))
                #expect(try await scene.store.discardOutcome(of: nobody) == .notFound)
            },
            StoreCheck("the count by code is of what is neither replayed nor discarded") { scene in
                let code = "code-\(UniqueID.random)"
                var ids: [DeadLetterID] = []
                for number in 0..<4 {
                    let deadLetter = try scene.deadLetter(.void, "\(number)") {
                        $0.headers["error-code"] = .string(code)
                    }
                    _ = try await scene.store.keep(deadLetter)
                    ids.append(deadLetter.id)
                }
                #expect(try await scene.store.unfinishedDeadLetters()[code] == 4)
                _ = try await scene.store.discard(ids[0], by: "op", reason: "r")
                _ = try await scene.store.beginReplay(ids[1], by: "op", .random)
                let claim = ReplayClaim.random
                _ = try await scene.store.beginReplay(ids[2], by: "op", claim)
                _ = try await scene.store.endReplay(ids[2], by: "op", claim, .replayed)
                #expect(try await scene.store.unfinishedDeadLetters()[code] == 2)
            },
        ]
    }
}
