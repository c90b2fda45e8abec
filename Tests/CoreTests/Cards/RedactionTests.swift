import Testing

@testable import Core

/// Whatever holds a card, and whatever is made from it, can be printed in any way.
@Suite("Redaction", .timeLimit(.minutes(1)))
struct RedactionTests {
    private static let number = "4929123456781234"
    private static let cvv = "8642"

    private static let cardJSON = #"{"number":"\#(number)","cvv":"\#(cvv)","expiry_month":12,"expiry_year":2030}"#

    private static func expectSilent(_ value: Any, sourceLocation: SourceLocation = #_sourceLocation) {
        let texts = Printed.all(value)
        #expect(!texts.isEmpty)
        for text in texts where text.contains(number) || text.contains(cvv) {
            Issue.record("\(type(of: value)) shows card data", sourceLocation: sourceLocation)
            return
        }
    }

    private let card: CardDetails
    private let parameters: AuthorizeParameters
    private let command: Command
    private let operation: Operation
    private let payment: Payment
    private let invalid: InvalidCommand

    init() throws {
        card = try #require(CardDetails(number: Self.number, cvv: Self.cvv, expiryMonth: 12, expiryYear: 2030))
        let money = try #require(Money(minorUnits: 5_000, currency: .usd))
        parameters = AuthorizeParameters(orderID: "order-1", customerID: "cust-1", amount: money, card: card)
        command = Command(
            paymentID: try #require(PaymentID(CommandMessage.paymentID)),
            idempotencyKey: try #require(IdempotencyKey("k-1")),
            messageID: "message-1",
            parameters: .authorize(parameters)
        )
        operation = try PaymentFixture.operation(.authorize, .sent)
        payment = try PaymentFixture.held(by: .authorize)
        let body = CommandMessage.authorizeBody(
            amount: "-1",
            card: #"{"number":"\#(Self.number)","cvv":"\#(Self.cvv)","expiry_month":12,"expiry_year":2030}"#
        )
        guard case .answerable(let invalid) = CommandDecoder().decode(CommandMessage.valid(body: body)) else {
            throw NotAnswerable()
        }
        self.invalid = invalid
    }

    private struct NotAnswerable: Error {}

    @Test("the check itself finds what is shown")
    func checkWorks() {
        struct Leak { let card: [String: [String]] }
        #expect(Printed.all(Leak(card: ["a": ["x\(Self.number)"]])).contains { $0.contains(Self.number) })
        #expect(Printed.all(BankRefusal(code: "c", message: Self.cvv)).contains { $0.contains(Self.cvv) })
    }

    @Test("a card shows nothing, whatever prints it")
    func cardDetails() {
        Self.expectSilent(card)
        Self.expectSilent(Optional(card) as Any)
        Self.expectSilent([card: card])
        #expect("\(card)" == "card(redacted)")
        #expect(card.debugDescription == "card(redacted)")
        #expect(Mirror(reflecting: card).children.isEmpty)
        #expect(card.masked == "492912******1234")
    }

    @Test("nor does anything that holds one")
    func holders() {
        let action = BankAction.authorize(card: card, amount: 5_000)
        let claim = Claim(operation: operation, payment: payment)
        let holders: [Any] = [
            parameters, CommandParameters.authorize(parameters), command, action,
            BankRequest(action: action, idempotencyKey: "k", traceparent: nil, timeout: .seconds(1)),
            ClaimRequest(
                command: command,
                operationID: operation.id,
                token: operation.claimToken,
                lease: .seconds(1)
            ),
            claim, ClaimOutcome.claimed(claim), DecodedMessage.command(command), DecodedMessage.answerable(invalid),
            PaymentQueues.Completed(command: command, operation: operation), PaymentFixture.createdAt,
        ]
        for holder in holders { Self.expectSilent(holder) }
    }

    @Test("nor any error")
    func errors() {
        let errors: [any Error] =
            [JSONError.unexpectedEnd, .malformed, .notUTF8, .duplicateName, .tooDeep, .trailingContent] as [JSONError]
            + [
                invalid.problem, SinkError(detail: "code"), SinkError(.unpublishable, detail: "406"),
                StoreError(.refused, detail: "23505"),
                BankEffect.Doubt.unreadable, BankEffect.Doubt.mismatch(field: "amount"),
            ]
        for error in errors { Self.expectSilent(error) }
    }

    @Test("nor any disposition, nor the reply in it")
    func dispositions() {
        let replies = [
            OutgoingReply(to: invalid),
            OutgoingReply.final(Array("{}".utf8), of: operation, to: command, replayed: false),
        ]
        for reply in replies {
            let dispositions: [Disposition] = [
                .reply(reply, .rejected, completes: operation),
                .deferred(.seconds5, reason: "r", provisional: reply, RetryState()),
                .deadLetter(code: "c", message: "m", provisional: reply),
            ]
            for disposition in dispositions { Self.expectSilent(disposition) }
            let body = String(decoding: reply.message.body, as: UTF8.self)
            #expect(!body.contains(Self.number) && !body.contains(Self.cvv))
        }
    }

    @Test("nor any event, of every kind")
    func events() {
        let disposition = Disposition.deferred(.seconds5, reason: "r", provisional: nil, RetryState())
        let refusal = BankRefusal(code: "invalid_card", message: "no card \(Self.number)")
        let action = BankAction.authorize(card: card, amount: 5_000)
        let verdicts = [Verdict.declined(refusal, orphan: nil), .expired(refusal)].map { $0.redacted(for: action) }
        let deadLetter = DeadLetterReader(fingerprinter: Fingerprinter(secret: [1])).deadLetter(
            CommandMessage.valid(body: CommandMessage.authorizeBody(card: Self.cardJSON)),
            .processor,
            id: DeadLetterID(UniqueID(high: 0, low: 1)),
            now: operation.createdAt
        )
        let events: [ProcessorEvent] =
            [
                .handled(command, disposition, duration: .seconds(1)), .rejectedInvalid(invalid),
                .unanswerable(invalid.problem, CommandIdentity(invalid)),
                .possibleOrphan(CommandIdentity(operation), .suspected),
                .storeRegressed(CommandIdentity(operation)),
                .needsAttention(CommandIdentity(operation), reason: "r"),
                .superseded(CommandIdentity(operation)), .replyUndeliverable(replyTo: "replies.a", CommandIdentity()),
                .takenOverOnProof(CommandIdentity(operation)), .replyAddressIgnored(CommandIdentity(command)),
                .unroutedSentBack(CommandIdentity(command)),
                .replyPostponed(replyTo: "replies.a"), .eventsPostponed(1),
                .storeFailed(StoreError(.unavailable, detail: "08006")), .publishFailed("d"),
                .breakerChanged(.open, cause: nil), .commandsGivenBack, .commandsTakenAgain,
                .membersChanged(2, owned: [1]),
                .deadLetterKept(deadLetter), .deadLetterSentBack(deadLetter, .seconds5),
                .swept(.reconcile, SweepReport(), duration: .seconds(1)),
                .sweepFailed(.expire, StoreError(.unavailable, detail: "08006")), .tickUnreadable,
                .expired(command.paymentID),
            ] + verdicts.map { .bankAnswered(.authorize, $0, CommandIdentity(command)) }
        for event in events { Self.expectSilent(event) }
        #expect(Set(events.map(\.kind)).count == ProcessorEvent.kinds)
    }

    @Test("nor does a fingerprinter show its secret")
    func secret() {
        let secret = Array("a-secret-of-some-length".utf8)
        let texts = Printed.all(Fingerprinter(secret: secret))
        let numbers = secret.map(String.init).joined(separator: ", ")
        let lines = secret.map { "- \($0)" }
        for text in texts {
            #expect(!text.contains("a-secret"))
            #expect(!text.contains(numbers))
            let found = text.split(separator: "\n").map { $0.drop { $0 == " " } }.map(String.init)
            #expect(!lines.allSatisfy(found.contains))
        }
    }
}

extension ProcessorEvent {
    fileprivate static let kinds = 26

    /// A new case does not compile here until it has a number, and fails the count until it has a sample above.
    fileprivate var kind: Int {
        switch self {
        case .handled: 0
        case .rejectedInvalid: 1
        case .unanswerable: 2
        case .bankAnswered: 3
        case .possibleOrphan: 4
        case .storeRegressed: 18
        case .needsAttention: 5
        case .superseded: 6
        case .replyUndeliverable: 7
        case .replyAddressIgnored: 8
        case .storeFailed: 9
        case .publishFailed: 10
        case .breakerChanged: 11
        case .deadLetterKept: 12
        case .deadLetterSentBack: 13
        case .swept: 14
        case .sweepFailed: 15
        case .tickUnreadable: 16
        case .expired: 17
        case .unroutedSentBack: 19
        case .eventsPostponed: 20
        case .replyPostponed: 21
        case .commandsGivenBack: 22
        case .commandsTakenAgain: 23
        case .membersChanged: 24
        case .takenOverOnProof: 25
        }
    }
}
