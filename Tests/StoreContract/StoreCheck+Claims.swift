import Core
import Testing

extension StoreCheck {
    static var claims: [StoreCheck] {
        [
            StoreCheck("a first claim of an authorize opens the payment and the operation") { scene in
                let route = ReplyRoute(replyTo: "replies.a", correlationID: "c-1", traceparent: "00-\(1)")
                let command = try scene.authorize(order: "order \"é\" \\ 漢", customer: "o'brien", route: route)
                let request = scene.request(command)
                guard case .claimed(let claim) = try await scene.store.claim(request) else {
                    Issue.record("not claimed")
                    return
                }
                #expect(claim.payment.status == .pending)
                #expect(claim.payment.activeOperation == request.operationID)
                #expect(claim.payment.version == 1)
                #expect(claim.payment.orderID == "order \"é\" \\ 漢")
                #expect(claim.operation.id == request.operationID)
                #expect(claim.operation.claimToken == request.token)
                #expect(claim.operation.bankKey == request.command.bankKey)
                #expect(claim.operation.state == .sent)
                #expect(claim.operation.fencingToken == 1)
                #expect(claim.operation.attempts == 1)
                #expect(!claim.operation.isAmbiguous)
                #expect(claim.operation.origin == nil)
                #expect(claim.operation.route == route)
                #expect(claim.operation.firstSentAt != nil)
                #expect(claim.operation.reply == nil)
                #expect(claim.operation.createdAt.advanced(by: request.lease) == claim.operation.leaseUntil)

                let view = try await scene.view(command.paymentID)
                #expect(view.payment == claim.payment)
                #expect(view.operations == [claim.operation])
                #expect(view.history.map(\.to) == [.pending])
                #expect(view.history.map(\.from) == [nil])
            },
            StoreCheck("a correlation id is kept byte for byte") { scene in
                for bytes in [[], [0], Array("a\0b".utf8), [0xff, 0xfe], Array("cafe\u{301}".utf8)] as [[UInt8]] {
                    let id = CorrelationID(bytes: bytes)
                    let command = try scene.authorize(route: ReplyRoute(correlationID: id))
                    let claim = try await scene.claimed(command)
                    let result = StoreScene<Subject>.success(claim).notifiedByOutbox(claim)
                    #expect(
                        try await scene.view(command.paymentID).operations.first?.route.correlationID?.bytes == bytes
                    )
                    #expect(try await scene.store.complete(result) == .completed)
                    let entries = try await scene.sweeps.take(limit: 10, hold: .seconds(60))
                    #expect(entries.first?.content.message.correlationID?.bytes == bytes)
                    try await scene.sweeps.note(entries.map { OutboxEnding($0, .sent) })
                }
            },
            StoreCheck("the same key waits while it is leased") { scene in
                let command = try scene.authorize()
                _ = try await scene.claimed(command)
                #expect(try await scene.claim(command).heldKey != nil)
            },
            StoreCheck("a claim that the bank has executed is taken over while it is leased, and completed") { scene in
                let command = try scene.authorize()
                let first = try await scene.claimed(command)
                let held = try #require(try await scene.claim(command).heldKey)
                #expect(held.operation == first.operation && held.payment == first.payment)
                #expect(held.freeIn > .zero && held.freeIn <= StoreScene<Subject>.longLease)
                let request = scene.request(command, executed: held.operation.fencingToken)
                guard case .claimed(let second) = try await scene.store.claim(request) else {
                    Issue.record("not claimed")
                    return
                }
                #expect(try await scene.store.claim(request) == .claimed(second))
                #expect(second.operation.fencingToken == first.operation.fencingToken + 1)
                #expect(second.operation.attempts == 1 && second.operation.sends.unanswered == 1)
                #expect(try await scene.store.complete(StoreScene<Subject>.success(first)) != .completed)
                #expect(try await scene.store.complete(StoreScene<Subject>.success(second)) == .completed)
                #expect(try await scene.view(command.paymentID).payment.status == .authorized)
            },
            StoreCheck(
                "after its lease a key is taken over, with the fencing token and the attempts up by one, ambiguous"
            ) {
                scene in
                let command = try scene.authorize()
                let first = try await scene.claimed(command, lease: StoreScene<Subject>.shortLease)
                let second = try await scene.claimedWhenFree(command)
                #expect(second.operation.fencingToken == first.operation.fencingToken + 1)
                #expect(second.operation.attempts == 2)
                #expect(second.operation.isAmbiguous)
                #expect(second.operation.state == .sent)
                #expect(second.operation.id == first.operation.id)
                #expect(second.operation.bankKey == first.operation.bankKey)
                #expect(second.operation.firstSentAt == first.operation.firstSentAt)
                #expect(second.operation.claimToken != first.operation.claimToken)
                #expect(second.payment == first.payment)
                #expect(try await scene.claim(command).heldKey != nil)
                #expect(try await scene.view(command.paymentID).operations == [second.operation])
            },
            StoreCheck("a claim repeated with its token is the same claim, with the lease counted anew") { scene in
                let request = scene.request(try scene.authorize())
                guard case .claimed(let first) = try await scene.store.claim(request) else {
                    Issue.record("not claimed")
                    return
                }
                try await scene.subject.pass(.milliseconds(5))
                guard case .claimed(let second) = try await scene.store.claim(request) else {
                    Issue.record("not claimed again")
                    return
                }
                #expect(second.operation.fencingToken == first.operation.fencingToken)
                #expect(second.operation.attempts == first.operation.attempts)
                #expect(second.operation.id == first.operation.id)
                #expect(!second.operation.isAmbiguous)
                #expect(second.payment == first.payment)
                #expect(second.operation.leaseUntil > first.operation.leaseUntil)
            },
            StoreCheck("a capture is claimed onto an authorized payment") { scene in
                let payment = try await scene.authorized()
                let claim = try await scene.claimed(try scene.command(.capture(amount: nil), payment.id))
                #expect(claim.payment.status == .capturing)
                #expect(claim.payment.activeOperation == claim.operation.id)
                #expect(claim.payment.version == payment.version + 1)
                #expect(claim.payment.bank == payment.bank)
                #expect(claim.operation.origin == .authorized)
                #expect(try await scene.view(payment.id).payment == claim.payment)
            },
            StoreCheck("keys are compared byte by byte, and belong to their merchant") { scene in
                let composed = try #require(IdempotencyKey("caf\u{e9}"))
                let decomposed = try #require(IdempotencyKey("cafe\u{301}"))
                _ = try await scene.claimed(try scene.authorize(key: composed))
                _ = try await scene.claimed(try scene.authorize(key: decomposed))
                let other = StoreScene(subject: scene.subject)
                _ = try await other.claimed(try other.authorize(key: composed))
            },
            StoreCheck("the longest texts are kept as they are") { scene in
                let long = String(repeating: "\u{1f4b3}", count: 128)
                let key = try #require(IdempotencyKey(String(repeating: "漢", count: 255)))
                let command = try scene.authorize(key: key, order: long, customer: long, amount: .max)
                let claim = try await scene.claimed(command)
                let view = try await scene.view(command.paymentID)
                #expect(view.payment == claim.payment)
                #expect(view.payment.orderID == long)
                #expect(view.payment.amount.minorUnits == .max)
                #expect(view.operations.map(\.idempotencyKey) == [key])
            },
        ]
    }
}

extension StoreCheck {
    static var races: [StoreCheck] {
        [
            StoreCheck("of many claims of one key at the same time exactly one is claimed") { scene in
                let command = try scene.authorize()
                let outcomes = try await scene.claimAll(Array(repeating: command, count: 24))
                #expect(outcomes.count(where: \.isClaimed) == 1)
                #expect(outcomes.count { $0.heldKey != nil } == 23)
                let view = try await scene.view(command.paymentID)
                #expect(view.operations.count == 1)
                #expect(view.history.count == 1)
            },
            StoreCheck("of many takeovers of one key at the same time exactly one is claimed") { scene in
                let command = try scene.authorize()
                let first = try await scene.claimed(command)
                let resting = OperationResult.resting(
                    first,
                    reason: "timeout",
                    sends: EarlierSends(unanswered: 1),
                    rest: .zero
                )
                #expect(try await scene.store.complete(resting) == .completed)
                try await scene.subject.pass(.milliseconds(1))
                let outcomes = try await scene.claimAll(Array(repeating: command, count: 24))
                #expect(outcomes.count(where: \.isClaimed) == 1)
                #expect(try await scene.view(command.paymentID).operations.map(\.fencingToken) == [2])
            },
            StoreCheck("of a capture and a void at the same time exactly one is claimed") { scene in
                for _ in 0..<8 {
                    let payment = try await scene.authorized()
                    let outcomes = try await scene.claimAll([
                        try scene.command(.capture(amount: nil), payment.id),
                        try scene.command(.void, payment.id),
                    ])
                    #expect(outcomes.count(where: \.isClaimed) == 1)
                    #expect(outcomes.count(where: \.isWaitForPayment) == 1)
                    try await scene.expectLegalHistory(payment.id)
                }
            },
            StoreCheck("of two authorizes of one payment id at the same time exactly one is claimed") { scene in
                let id = PaymentID(.random)
                let commands = try (0..<8).map { _ in try scene.authorize(id) }
                let outcomes = try await scene.claimAll(commands)
                #expect(outcomes.count(where: \.isClaimed) == 1)
                let codes = outcomes.compactMap { outcome in
                    if case .completed(let operation, isReplay: false) = outcome { operation.state } else { nil }
                }
                #expect(codes == Array(repeating: .rejected, count: 7))
            },
            StoreCheck("many payments at the same time are all claimed and completed") { scene in
                let commands = try (0..<64).map { _ in try scene.authorize() }
                let outcomes = try await scene.claimAll(commands)
                let results = outcomes.compactMap { outcome in
                    if case .claimed(let claim) = outcome { StoreScene<Subject>.success(claim) } else { nil }
                }
                #expect(results.count == 64)
                try await withThrowingTaskGroup(of: CompletionOutcome.self) { group in
                    for result in results { group.addTask { try await scene.store.complete(result) } }
                    for try await outcome in group { #expect(outcome == .completed) }
                }
                for command in commands {
                    #expect(try await scene.view(command.paymentID).payment.status == .authorized)
                }
            },
        ]
    }
}

extension StoreScene {
    fileprivate func claimAll(_ commands: [Command]) async throws -> [ClaimOutcome] {
        try await withThrowingTaskGroup(of: ClaimOutcome.self) { group in
            for command in commands { group.addTask { try await claim(command) } }
            return try await group.reduce(into: []) { $0.append($1) }
        }
    }
}
