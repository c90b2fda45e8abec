import Core
import Testing

extension StoreCheck {
    /// Commands that wait keep their order (docs/correctness.md#overtaking).
    static var order: [StoreCheck] {
        [
            StoreCheck("a later command waits behind one that waits, until that one is decided") { scene in
                let payment = try await scene.authorized()
                let (capture, void) = try (
                    scene.command(.capture(amount: nil), payment.id), scene.command(.void, payment.id)
                )
                try await scene.store.register(capture)
                #expect(try await scene.claim(void) == .wait(.earlierCommand, payment))
                #expect(try await scene.claim(void) == .wait(.earlierCommand, payment))
                let captured = StoreScene<Subject>.success(try await scene.claimed(capture))
                #expect(try await scene.store.complete(captured) == .completed)
                let rejected = try await scene.completed(void, isReplay: false)
                #expect(rejected.state == .rejected)
                // Both have left the line.
                let refund = try scene.command(.refund(amount: nil), payment.id)
                _ = try await scene.claimed(refund)
            },
            StoreCheck("those that were registered keep their place, however often they come back") { scene in
                let payment = try await scene.authorized()
                let commands = try (0..<3).map { _ in try scene.command(.capture(amount: nil), payment.id) }
                for command in commands { try await scene.store.register(command) }
                for command in commands.reversed() { try await scene.store.register(command) }
                #expect(try await scene.claim(commands[2]) == .wait(.earlierCommand, payment))
                #expect(try await scene.claim(commands[1]) == .wait(.earlierCommand, payment))
                _ = try await scene.claimed(commands[0])
            },
            StoreCheck("a capture waits for the authorize that an outage has deferred") { scene in
                let authorize = try scene.authorize()
                let capture = try scene.command(.capture(amount: nil), authorize.paymentID)
                try await scene.store.register(authorize)
                for _ in 0..<2 {
                    #expect(try await scene.claim(capture, hasWaited: true) == .wait(.authorizeUnknown, nil))
                }
                let payment = try await scene.succeeded(authorize)
                #expect(try await scene.claimed(capture).payment.id == payment.id)
            },
            StoreCheck("a place that is asked for after its command was decided holds up nobody") { scene in
                let payment = try await scene.authorized()
                let capture = try scene.command(.capture(amount: nil), payment.id)
                let claim = try await scene.claimed(capture)
                try await scene.store.register(capture)
                #expect(try await scene.store.complete(StoreScene<Subject>.success(claim)) == .completed)
                try await scene.store.register(capture)
                _ = try await scene.claimed(try scene.command(.refund(amount: nil), payment.id))
            },
            StoreCheck("many claims at once, of which some wait and some are decided, keep the line as they leave it") {
                scene in
                let payment = try await scene.authorized()
                let captures = try (0..<8).map { _ in try scene.command(.capture(amount: nil), payment.id) }
                let first = try await scene.claimed(captures[0])
                await withTaskGroup(of: Void.self) { group in
                    for capture in captures[1...] + captures[1...] {
                        group.addTask { _ = try? await scene.claim(capture) }
                    }
                }
                #expect(try await scene.store.complete(StoreScene<Subject>.success(first)) == .completed)
                // One after the other, in the order of their places: each is refused in its turn.
                var left = Array(captures[1...])
                while !left.isEmpty {
                    let before = left.count
                    for capture in left {
                        if case .completed = try await scene.claim(capture) {
                            left.removeAll { $0.idempotencyKey == capture.idempotencyKey }
                        }
                    }
                    #expect(left.count < before)
                    if left.count == before { break }
                }
            },
            StoreCheck("one that gives up leaves the line, with those before it that nobody has looked at since") {
                scene in
                let payment = try await scene.authorized()
                let commands = try (0..<3).map { _ in try scene.command(.capture(amount: nil), payment.id) }
                for command in commands { try await scene.store.register(command) }
                #expect(try await scene.store.line(before: commands[0]) == nil)
                let line = try #require(try await scene.store.line(before: commands[2]))
                #expect(try await scene.store.line(before: commands[2]) == line)
                try await scene.subject.pass(.milliseconds(1))
                #expect(try await scene.claim(commands[1]) == .wait(.earlierCommand, payment))
                #expect(try await scene.store.line(before: commands[2]) != line)
                // One of the two has been looked at: neither goes.
                try await scene.store.withdraw(commands[2], behind: line)
                #expect(try await scene.claim(commands[1]) == .wait(.earlierCommand, payment))
                let first = try #require(try await scene.store.line(before: commands[1]))
                try await scene.store.withdraw(commands[1], behind: first)
                _ = try await scene.claimed(commands[1])
            },
        ]
    }
}

extension StoreCheck {
    /// docs/correctness.md#busy-payment
    static var waiting: [StoreCheck] {
        [
            StoreCheck("a void waits while a capture holds the payment, and is rejected after it") { scene in
                let payment = try await scene.authorized()
                let claim = try await scene.claimed(try scene.command(.capture(amount: nil), payment.id))
                let void = try scene.command(.void, payment.id)
                #expect(try await scene.claim(void) == .wait(.paymentInProgress, claim.payment))
                #expect(try await scene.claim(void) == .wait(.paymentInProgress, claim.payment))
                #expect(try await scene.store.complete(StoreScene<Subject>.success(claim)) == .completed)
                #expect(try await scene.completed(void, isReplay: false).state == .rejected)
            },
            StoreCheck("a void waits while a capture holds the payment, and is claimed where that was declined") {
                scene in
                let payment = try await scene.authorized()
                let claim = try await scene.claimed(try scene.command(.capture(amount: nil), payment.id))
                let void = try scene.command(.void, payment.id)
                #expect(try await scene.claim(void).isWaitForPayment)
                let declined = StoreScene<Subject>.decline(claim, code: "authorization_already_used")
                #expect(try await scene.store.complete(declined) == .completed)
                #expect(try await scene.claim(void).isClaimed)
            },
            StoreCheck("a capture waits for the authorize that is in flight, then is claimed") { scene in
                let authorize = try scene.authorize()
                let claim = try await scene.claimed(authorize)
                let capture = try scene.command(.capture(amount: 5_000), authorize.paymentID)
                #expect(try await scene.claim(capture) == .wait(.paymentInProgress, claim.payment))
                #expect(try await scene.store.complete(StoreScene<Subject>.success(claim)) == .completed)
                #expect(try await scene.claim(capture).isClaimed)
            },
            StoreCheck("a payment stays held through the lease and the rest of its holder") { scene in
                let payment = try await scene.authorized()
                let capture = try scene.command(.capture(amount: nil), payment.id)
                let void = try scene.command(.void, payment.id)
                _ = try await scene.claimed(capture, lease: StoreScene<Subject>.shortLease)
                let second = try await scene.claimedWhenFree(capture)
                #expect(try await scene.claim(void).isWaitForPayment)
                let resting = OperationResult.resting(
                    second,
                    reason: "timeout",
                    sends: EarlierSends(unanswered: 1),
                    rest: .zero
                )
                #expect(try await scene.store.complete(resting) == .completed)
                #expect(try await scene.claim(void).isWaitForPayment)
            },
        ]
    }
}
