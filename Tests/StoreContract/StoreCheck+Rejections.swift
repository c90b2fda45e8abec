import Core
import Testing

extension StoreCheck {
    /// docs/contract.md#order-of-checks
    static var rejections: [StoreCheck] {
        [
            StoreCheck("a key with other parameters, another card or another operation is reused, and nothing changes")
            { scene in
                let key = try StoreScene<Subject>.key()
                let payment = PaymentID(.random)
                let result = StoreScene<Subject>.success(
                    try await scene.claimed(try scene.authorize(payment, key: key))
                )
                #expect(try await scene.store.complete(result) == .completed)
                let otherCard = try StoreScene<Subject>.card("4242424242424242", cvv: "456")
                let others = [
                    try scene.authorize(payment, key: key, order: "order-2"),
                    try scene.authorize(payment, key: key, customer: "customer-2"),
                    try scene.authorize(payment, key: key, amount: 5_001),
                    try scene.authorize(payment, key: key, card: otherCard),
                    try scene.authorize(key: key),
                    try scene.command(.capture(amount: nil), payment, key: key),
                    try scene.command(.void, payment, key: key),
                ]
                for other in others {
                    #expect(try await scene.claim(other) == .rejected(.idempotencyKeyReused, nil))
                }
                let view = try await scene.view(payment)
                #expect(view.payment == result.payment)
                #expect(view.operations.map(\.reply) == [result.operation.reply])
            },
            StoreCheck("the same key with another message id, route, deadline or CVV is the same command") { scene in
                let key = try StoreScene<Subject>.key()
                let payment = PaymentID(.random)
                _ = try await scene.succeeded(try scene.authorize(payment, key: key))
                let again = try scene.authorize(
                    payment,
                    key: key,
                    card: try StoreScene<Subject>.card(cvv: "124"),
                    deadline: Timestamp(microseconds: 1),
                    route: ReplyRoute(replyTo: "replies.other", correlationID: "other", traceparent: nil)
                )
                _ = try await scene.completed(again, isReplay: true)
            },
            StoreCheck("a capture with its amount stated is the same command as one without") { scene in
                let payment = try await scene.authorized()
                let key = try StoreScene<Subject>.key()
                _ = try await scene.succeeded(try scene.command(.capture(amount: nil), payment.id, key: key))
                _ = try await scene.completed(
                    scene.command(.capture(amount: 5_000), payment.id, key: key),
                    isReplay: true
                )
                let other = try scene.command(.capture(amount: 4_999), payment.id, key: key)
                #expect(try await scene.claim(other) == .rejected(.idempotencyKeyReused, nil))
            },
            StoreCheck("a second authorize of a payment id is payment_exists, stored and replayed") { scene in
                let payment = try await scene.authorized()
                try await scene.expectStored(.paymentExists, try scene.authorize(payment.id), showing: payment)
            },
            StoreCheck("another merchant's payment is payment_exists without it, or not found") { scene in
                let payment = try await scene.authorized()
                let other = StoreScene(subject: scene.subject)
                try await other.expectStored(.paymentExists, try other.authorize(payment.id), showing: nil)
                let capture = try other.command(.capture(amount: nil), payment.id)
                #expect(try await other.claim(capture, hasWaited: true) == .rejected(.paymentNotFound, nil))
                #expect(try await scene.view(payment.id).payment == payment)
            },
            StoreCheck("what has no payment is payment_not_found, and not stored") { scene in
                let id = PaymentID(.random)
                let commands = try [.capture(amount: nil), .capture(amount: 1), .void, .refund(amount: nil)]
                    .map { try scene.command($0, id) }
                for command in commands {
                    #expect(try await scene.claim(command) == .wait(.authorizeUnknown, nil))
                    #expect(try await scene.claim(command, hasWaited: true) == .rejected(.paymentNotFound, nil))
                }
                #expect(try await scene.store.payment(id) == nil)
                _ = try await scene.succeeded(try scene.authorize(id))
                _ = try await scene.claimed(commands[0])
            },
            StoreCheck("another amount is amount_mismatch, stored and replayed") { scene in
                let payment = try await scene.authorized()
                let capture = try scene.command(.capture(amount: 4_999), payment.id)
                try await scene.expectStored(.amountMismatch, capture, showing: payment)
                let refund = try scene.command(.refund(amount: 1), payment.id)
                try await scene.expectStored(.amountMismatch, refund, showing: payment)
            },
            StoreCheck("what the state does not allow is invalid_transition, stored and replayed") { scene in
                let payment = try await scene.authorized()
                try await scene.expectStored(
                    .invalidTransition,
                    try scene.command(.refund(amount: nil), payment.id),
                    showing: payment
                )
                let captured = try await scene.succeeded(try scene.command(.capture(amount: nil), payment.id))
                for parameters in [CommandParameters.capture(amount: nil), .void] {
                    try await scene.expectStored(
                        .invalidTransition,
                        try scene.command(parameters, payment.id),
                        showing: captured
                    )
                }
                #expect(try await scene.view(payment.id).payment == captured)
            },
            StoreCheck("a stored rejection whose claim is repeated with its token is no replay") { scene in
                let payment = try await scene.authorized()
                let request = scene.request(try scene.command(.refund(amount: nil), payment.id))
                for _ in 0..<2 {
                    guard case .completed(let operation, isReplay: false) = try await scene.store.claim(request) else {
                        Issue.record("not completed by this claim")
                        return
                    }
                    #expect(operation.state == .rejected)
                }
            },
            StoreCheck("a passed deadline is reported, and not stored") { scene in
                let past = Timestamp(microseconds: 1_000_000)
                let id = PaymentID(.random)
                let key = try StoreScene<Subject>.key()
                let late = try scene.authorize(id, key: key, deadline: past)
                #expect(try await scene.claim(late) == .rejected(.deadlinePassed, nil))
                #expect(try await scene.store.payment(id) == nil)
                let future = try #require(Timestamp("2999-01-01T00:00:00Z"))
                let payment = try await scene.succeeded(try scene.authorize(id, key: key, deadline: future))
                let capture = try scene.command(.capture(amount: nil), id, deadline: past)
                #expect(try await scene.claim(capture) == .rejected(.deadlinePassed, payment))
            },
        ]
    }
}

extension StoreScene {
    /// The first claim stores the rejection; every later one replays it, byte for byte.
    fileprivate func expectStored(_ code: RejectionCode, _ command: Command, showing payment: Payment?) async throws {
        let first = try await completed(command, isReplay: false)
        let expected = Reply(
            operation: command.kind,
            outcome: .rejected,
            error: ReplyError(code),
            payment: payment,
            paymentID: command.paymentID,
            idempotencyKey: command.idempotencyKey
        )
        #expect(first.state == .rejected)
        #expect(
            first.reply.map { String(decoding: $0, as: UTF8.self) } == String(decoding: expected.encoded, as: UTF8.self)
        )
        let again = try await completed(command, isReplay: true)
        #expect(again.reply == first.reply)
        #expect(again.id == first.id)
    }
}
