import Testing

@testable import Core

/// docs/contract.md#events
@Suite("Events", .timeLimit(.minutes(1)))
struct PaymentEventTests {
    private static func claim(_ kind: OperationKind) throws -> Claim {
        // The time in the token: 2026-02-02T02:40:00.123Z.
        let token = ClaimToken(.version7(milliseconds: 1_770_000_000_123, random: (1, 2)))
        return Claim(
            operation: try PaymentFixture.operation(kind, .sent, token: token),
            payment: try PaymentFixture.held(by: kind)
        )
    }

    private static func success(_ kind: OperationKind) throws -> OperationResult {
        .succeeded(
            try claim(kind),
            BankFixture.effect(kind),
            BankResponse(status: 200, body: .json(BankFixture.success(kind))),
            now: PaymentFixture.createdAt
        )
    }

    private static func declined(_ kind: OperationKind, expired: Bool = false) throws -> OperationResult {
        // What a bank might echo to confuse a reader of the bytes.
        let trap = JSONValue.object(["payment": .object(["status": .string(#","payment":{"#)]), "error": .string("no")])
        return .declined(
            try claim(kind),
            BankRefusal(code: "insufficient_funds", message: #"","payment":{"x"#),
            BankResponse(status: 402, body: .json(trap)),
            authorizationExpired: expired
        )
    }

    @Test("a success is reported with the payment of its reply and the bank's time", arguments: OperationKind.allCases)
    func success(_ kind: OperationKind) throws {
        let result = try Self.success(kind)
        let events = PaymentEvent.of(result.operation)
        let event = try #require(events.first)
        #expect(events.count == 1)
        let payment = try #require(result.payment)
        let (name, at): (String, Timestamp?) =
            switch kind {
            case .authorize: ("authorized", payment.authorizedAt)
            case .capture: ("captured", payment.capturedAt)
            case .void: ("voided", payment.voidedAt)
            case .refund: ("refunded", payment.refundedAt)
            }
        let expected = JSONValue.object([
            "event": .string(name), "occurred_at": .optional(at.map { max($0, payment.createdAt) }?.description),
            "operation": .string(kind.rawValue),
            "payment": payment.json, "payment_id": .string(payment.id.description),
        ])
        #expect(
            String(decoding: event.message.body, as: UTF8.self) == String(decoding: expected.encoded, as: UTF8.self)
        )
        #expect(event.message.type == "payment.\(name).v1")
        #expect(event.name.routingKey == "payment.\(name)")
        #expect(event.message.messageID == "\(result.operation.id)-\(name)")
        #expect(event.message.headers["payment-id"] == .string(payment.id.description))
        #expect(event.message.headers["merchant-id"] == .string("default"))
        #expect(event.message.headers["traceparent"] == nil)
    }

    @Test(
        "a decline is reported with the time of its attempt, whatever the bank wrote",
        arguments: OperationKind.allCases
    )
    func declined(_ kind: OperationKind) throws {
        let result = try Self.declined(kind)
        let events = PaymentEvent.of(result.operation)
        #expect(events.map(\.name) == [.declined])
        let body = try JSONParser.parse(try #require(events.first?.message.body))
        #expect(body["payment"] == result.payment?.json)
        #expect(body["occurred_at"]?.string == "2026-02-02T02:40:00.123000Z")
        #expect(body["operation"]?.string == kind.rawValue)
    }

    @Test(
        "nothing occurs before its payment was created, whatever the bank's clock says",
        arguments: OperationKind.allCases
    )
    func order(_ kind: OperationKind) throws {
        var operation = try Self.success(kind).operation
        operation.isNotified = false
        let late = "2999-01-01T00:00:00.000000Z"
        let reply = String(decoding: operation.reply ?? [], as: UTF8.self)
        let created = #""created_at":"\#(PaymentFixture.createdAt)""#
        // The bank's answer may have a time of that name, too; the payment's comes last.
        let parts = reply.split(separator: created, omittingEmptySubsequences: false)
        operation.reply = Array(
            (parts.dropLast().joined(separator: created) + #""created_at":"\#(late)""# + (parts.last ?? "")).utf8
        )
        let event = try JSONParser.parse(try #require(PaymentEvent.of(operation).first?.message.body))
        #expect(event["payment"]?["created_at"]?.string == late)
        #expect(event["occurred_at"]?.string == late)
    }

    @Test("a capture that finds the authorization expired tells that too")
    func expiredByCapture() throws {
        let events = PaymentEvent.of(try Self.declined(.capture, expired: true).operation)
        #expect(events.map(\.name) == [.declined, .expired])
        #expect(Set(events.map(\.message.messageID)).count == 2)
        for event in events {
            #expect(try JSONParser.parse(event.message.body)["payment"]?["status"]?.string == "EXPIRED")
        }
    }

    @Test("what is open, rejected, or without a payment tells nothing", arguments: OperationState.allCases)
    func silent(_ state: OperationState) throws {
        #expect(PaymentEvent.of(try PaymentFixture.operation(.capture, state)).isEmpty)
    }

    @Test(
        "what needs manual review is reported once with the reply, and has its dead letter, by way of a delivery or of the outbox"
    )
    func attention() throws {
        let claim = try Self.claim(.capture)
        let result = OperationResult.needsAttention(claim, reason: "r", sends: EarlierSends(unanswered: 1))
            .notifiedByOutbox(
                claim
            )
        #expect(result.outbox.map(\.destination) == [.replies(nil), .event(.needsAttention), .deadLetters])
        let reply = try JSONParser.parse(try #require(result.outbox.first?.message.body))
        #expect(reply["outcome"]?.string == "unknown")
        let message = try #require(result.outbox.dropFirst().first?.message)
        let event = try JSONParser.parse(message.body)
        #expect(event["event"]?.string == "needs_attention")
        #expect(event["payment"] == claim.payment.json)
        #expect(message.type == "payment.needs_attention.v1")
    }

    @Test("what a sweep completes has the reply and the events of a live command, marked as replayed")
    func outbox() throws {
        let claim = try Self.claim(.capture)
        let result = try Self.success(.capture).notifiedByOutbox(claim)
        var operation = result.operation
        #expect(operation.isNotified)
        operation.isNotified = false
        let command = try PaymentFixture.command(.capture)
        let live = OutgoingReply.final(operation.reply ?? [], of: operation, to: command, replayed: true)
        let reply = try #require(result.outbox.first)
        #expect(reply.message.body == live.message.body)
        #expect(reply.message.messageID == live.message.messageID)
        #expect(reply.message.type == live.message.type)
        #expect(reply.message.headers[HeaderName.idempotentReplayed] == .bool(true))
        #expect(reply.operationID == operation.id)
        #expect(result.outbox.dropFirst().map(\.message) == live.events.map(\.message))
    }

    @Test("an operation of our own has events and no reply; one that rests has neither")
    func ours() throws {
        let token = ClaimToken(.version7(milliseconds: 1, random: (1, 2)))
        var claim = try Self.claim(.void)
        let resting = OperationResult.resting(claim, reason: "r", sends: EarlierSends(unanswered: 1), rest: .zero)
            .notifiedByOutbox(claim)
        #expect(resting.outbox.isEmpty)
        let operation = claim.operation
        let own = Operation(
            id: operation.id,
            merchantID: operation.merchantID,
            idempotencyKey: operation.idempotencyKey,
            kind: .void,
            paymentID: operation.paymentID,
            fingerprint: operation.fingerprint,
            bankKey: operation.bankKey,
            route: .nobody,
            createdAt: operation.createdAt,
            origin: .expired,
            firstSentAt: operation.createdAt,
            state: .sent,
            fencingToken: 1,
            leaseUntil: operation.leaseUntil,
            claimToken: token,
            attempts: 1
        )
        claim = Claim(operation: own, payment: claim.payment)
        let result = OperationResult.succeeded(
            claim,
            BankFixture.effect(.void),
            BankResponse(status: 200, body: .json(BankFixture.success(.void))),
            now: PaymentFixture.createdAt
        ).notifiedByOutbox(claim)
        #expect(result.outbox.map(\.destination) == [.event(.voided)])
        // No command can have that address.
        #expect(ReplyAddress.allowed(ReplyRoute.nobody.replyTo) == nil)
    }

    @Test("every event of the contract has its name")
    func names() {
        let names = PaymentEvent.Name.allCases.map(\.rawValue)
        #expect(
            Set(names)
                == ["authorized", "captured", "voided", "refunded", "declined", "expired", "needs_attention"]
        )
    }
}
