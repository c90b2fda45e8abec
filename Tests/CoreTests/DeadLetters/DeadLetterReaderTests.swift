import Testing

@testable import Core

@Suite("The reading of a dead letter", .timeLimit(.minutes(1)))
struct DeadLetterReaderTests {
    private let reader = DeadLetterReader(fingerprinter: Fingerprinter(secret: Array("secret".utf8)))
    private let now = Timestamp(microseconds: 1_900_000_000_000_000)
    private let id = DeadLetterID(UniqueID(high: 0, low: 1))

    private func deadLetter(_ message: Message, _ origin: DeadLetterOrigin = .processor) -> DeadLetter {
        reader.deadLetter(message, origin, id: id, now: now)
    }

    private func broker(_ occurrence: String = "q 1 5", reason: String = "delivery_limit") -> DeadLetterOrigin {
        .broker(reason: reason, occurrence: occurrence, at: nil)
    }

    @Test("the processor's dead letter says why and when it failed, and what it asked for")
    func processor() throws {
        let message = CommandMessage.valid(.capture).cleanCopy(adding: [
            "error-code": .string("needs_attention"), "error-message": .string("bank_timeout"),
            "failed-at": .integer(1_800_000_000_000_001), "failure-instance": .string("operation 1 1"),
            "merchant-id": .string("shop"),
        ])
        let deadLetter = deadLetter(message)
        #expect(deadLetter.failure.code == "needs_attention")
        #expect(deadLetter.failure.message == "bank_timeout")
        #expect(deadLetter.failure.source == .processor)
        #expect(deadLetter.failure.at == Timestamp(microseconds: 1_800_000_000_000_001))
        #expect(deadLetter.command.kind == .capture)
        #expect(deadLetter.command.paymentID == PaymentID(CommandMessage.paymentID))
        #expect(deadLetter.command.merchantID == MerchantID("shop"))
        #expect(deadLetter.command.idempotencyKey == IdempotencyKey("k-1"))
        #expect(deadLetter.state == .open && deadLetter.replayOf == nil)
        var copy = CommandMessage.valid(.capture)
        copy.headers["merchant-id"] = .string("shop")
        copy.headers["replay-of"] = .string(id.description)
        #expect(deadLetter.replayCopy == copy)
    }

    @Test(
        "the dead letter of an operation without a delivery asks for the same, and is the same failure; without a card it is no command",
        arguments: OperationKind.allCases
    )
    func rebuilt(_ kind: OperationKind) throws {
        var operation = try PaymentFixture.operation(kind, .needsAttention, fencingToken: 3)
        operation.lastError = "bank_timeout"
        let deadLetter = deadLetter(Message(rebuilding: operation, of: try PaymentFixture.held(by: kind)))
        #expect(deadLetter.failure.code == "needs_attention" && deadLetter.failure.message == "bank_timeout")
        #expect(deadLetter.failure.source == .processor && deadLetter.failure.at == now)
        #expect(deadLetter.command.kind == kind && deadLetter.command.fingerprint == nil)
        #expect(
            deadLetter.command.paymentID == operation.paymentID && deadLetter.command.merchantID == operation.merchantID
        )
        #expect(deadLetter.command.idempotencyKey == operation.idempotencyKey)
        // The one that a delivery's dead letter names, so that the two are one row.
        let headers: [String: HeaderValue] = ["failure-instance": .string("operation \(operation.id) 3")]
        #expect(deadLetter.instance == self.deadLetter(CommandMessage.valid(kind).cleanCopy(adding: headers)).instance)

        #expect(deadLetter.content.isReplayable == (kind != .authorize))
        guard kind != .authorize else { return }
        guard case .command(let command) = CommandDecoder().decode(deadLetter.replayCopy) else {
            Issue.record("no command any more")
            return
        }
        #expect(command.paymentID == operation.paymentID && command.idempotencyKey == operation.idempotencyKey)
        #expect(command.parameters.statedAmount == (kind == .void ? nil : 5_000))
    }

    @Test("the broker's dead letter has the broker's reason, and what its headers pretend does not count")
    func brokers() {
        let forged = CommandMessage.valid(.void).cleanCopy(adding: [
            "error-code": .string("forged"), "failure-instance": .string("forged"),
        ])
        let at = Timestamp(microseconds: 1_700_000_000_000_000)
        let limit = deadLetter(forged, .broker(reason: "delivery_limit", occurrence: "q 1 5", at: at))
        #expect(limit.failure.code == "delivery_limit" && limit.failure.source == .broker && limit.failure.at == at)
        let unrouted = deadLetter(forged, .unrouted)
        #expect(unrouted.failure.code == "unrouted" && unrouted.failure.source == .broker && unrouted.failure.at == now)
    }

    @Test("what the headers do not say, or say wrongly, is left out")
    func spoilt() {
        var message = CommandMessage.valid(.void)
        message.type = "payment.void.v2"
        message.headers = [
            "payment-id": .string("x"), "idempotency-key": .integer(1), "merchant-id": .string("a b"),
            "failed-at": .integer(.max), "error-code": .other,
        ]
        let deadLetter = deadLetter(message)
        #expect(deadLetter.command == DeadLetterCommand())
        #expect(deadLetter.failure.code == "unknown" && deadLetter.failure.at == now)
        message.headers["idempotency-key"] = .string("4111111111111111")
        #expect(self.deadLetter(message).command.idempotencyKey?.description == "4111111111111111")
        message.body = Array(CommandMessage.authorizeBody().utf8)
        #expect(self.deadLetter(message).command.idempotencyKey == nil, "it is the card number of the command")
    }

    @Test("a valid authorize keeps its fingerprint, and nothing of its card")
    func fingerprint() throws {
        let message = CommandMessage.valid(.authorize)
        let deadLetter = deadLetter(message)
        guard case .command(let command) = CommandDecoder().decode(message) else {
            Issue.record("not a command")
            return
        }
        let own = Fingerprinter(secret: Array("secret".utf8)).fingerprint(of: command, resolvedAmount: 5_000)
        #expect(deadLetter.command.fingerprint == own)
        #expect(self.deadLetter(CommandMessage.valid(.capture)).command.fingerprint == nil)
        for text in Printed.all(deadLetter) { #expect(!text.contains(CommandMessage.number)) }
    }

    @Test("two dead letters of one failure are one: redelivered, or published again by the processor")
    func sameInstance() {
        let message = CommandMessage.valid(.void)
        var redelivered = message
        redelivered.headers["x-delivery-count"] = .integer(1)
        redelivered.headers["failed-at"] = .integer(5)
        redelivered.headers["waiting-since"] = .integer(6)
        for origin in [.processor, broker(), .unrouted] {
            #expect(deadLetter(message, origin).instance == deadLetter(redelivered, origin).instance)
        }
        var other = CommandMessage.valid(.capture)
        other.headers["failure-instance"] = .string("a")
        var named = message
        named.headers["failure-instance"] = .string("a")
        #expect(deadLetter(named).instance == deadLetter(other).instance)
        #expect(deadLetter(named).instance.bytes.count == 32)
    }

    @Test("two failures are two: another message, another reason, another time, another replay")
    func otherInstances() {
        let message = CommandMessage.valid(.void)
        func changed(_ change: (inout Message) -> Void) -> Message {
            var copy = message
            change(&copy)
            return copy
        }
        let deadLetters = [
            deadLetter(message), deadLetter(changed { $0.messageID = "other" }), deadLetter(changed { $0.body = [1] }),
            deadLetter(changed { $0.type = nil }),
            deadLetter(changed { $0.headers["idempotency-key"] = .string("other") }),
            deadLetter(changed { $0.headers["replay-of"] = .string(id.description) }),
            deadLetter(changed { $0.headers["failure-instance"] = .string("a") }),
            deadLetter(changed { $0.headers["failure-instance"] = .string("b") }),
            deadLetter(changed { $0.headers["error-code"] = .string("other") }),
            deadLetter(message, .unrouted), deadLetter(message, broker()), deadLetter(message, broker("q 2 5")),
            deadLetter(message, broker(reason: "rejected")),
        ]
        #expect(Set(deadLetters.map(\.instance)).count == deadLetters.count)
    }

    @Test("a message is counted by its id, else by its content")
    func identity() {
        var message = CommandMessage.valid(.void)
        #expect(reader.identity(of: message) == "message-1")
        message.messageID = nil
        let identity = reader.identity(of: message)
        message.headers["x-death"] = .other
        #expect(reader.identity(of: message) == identity)
        message.body = [1]
        #expect(reader.identity(of: message) != identity)
    }
}
