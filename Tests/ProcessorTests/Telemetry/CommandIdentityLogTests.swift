import Core
import Logging
import Testing

@testable import Processor

@Suite("What a line of the log says about its command", .timeLimit(.minutes(1)))
struct CommandIdentityLogTests {
    /// What a line must name.
    private enum Subject: Hashable {
        /// Payment, key and message id.
        case command
        /// Of a sweep or an operator: payment, key and the operation's id.
        case operation
        /// Many, or none.
        case other
    }

    /// Every event has a place here; a new one does not compile until it has one.
    private static func subject(of event: ProcessorEvent) -> Subject {
        switch event {
        case .bankAnswered(_, _, let identity), .possibleOrphan(let identity, _), .storeRegressed(let identity),
            .needsAttention(let identity, _), .superseded(let identity), .takenOverOnProof(let identity):
            identity.messageID == nil ? .operation : .command
        case .handled, .rejectedInvalid, .unanswerable, .replyUndeliverable, .replyAddressIgnored, .deadLetterKept,
            .deadLetterSentBack, .unroutedSentBack:
            .command
        // Its queue is named by who finds it full or silent.
        case .replyPostponed: .other
        // One payment, and no command.
        case .expired: .other
        case .eventsPostponed, .storeFailed, .publishFailed, .breakerChanged, .commandsGivenBack, .commandsTakenAgain,
            .membersChanged, .swept, .sweepFailed, .tickUnreadable:
            .other
        }
    }

    private static func events() throws -> [ProcessorEvent] {
        let message = Message(
            type: "payment.capture.v1",
            messageID: "m-1",
            headers: [
                HeaderName.idempotencyKey: .string("key-1"),
                HeaderName.paymentID: .string(Samples.paymentID.description),
            ]
        )
        let deadLetter = DeadLetterReader(fingerprinter: Fingerprinter(secret: [1]))
            .deadLetter(message, .unrouted, id: DeadLetterScene.id(1), now: Timestamp(microseconds: 0))
        let command = try Samples.authorize()
        let live = CommandIdentity(Samples.operation(), messageID: "m-1")
        let swept = CommandIdentity(Samples.operation())
        let reply = Disposition.reply(.unstored(Samples.reply(to: command), to: command), .succeeded, completes: nil)
        let deferred = Disposition.deferred(.seconds30, reason: "bank_timeout", provisional: nil, RetryState())
        let dead = Disposition.deadLetter(code: "needs_attention", message: "m", provisional: nil)
        let ofOperations = [live, swept].flatMap { identity -> [ProcessorEvent] in
            [
                .bankAnswered(.capture, .notSent(reason: "r"), identity), .possibleOrphan(identity, .suspected),
                .possibleOrphan(identity, .unlikely), .storeRegressed(identity),
                .needsAttention(identity, reason: "r"), .superseded(identity),
            ]
        }
        return ofOperations + [reply, deferred, dead].map { .handled(command, $0, duration: .zero) } + [
            .rejectedInvalid(try Self.invalidCommand()),
            .unanswerable(InvalidField("type", "is not known"), CommandIdentity(message)),
            .replyUndeliverable(replyTo: "replies.a", CommandIdentity(message)),
            .replyAddressIgnored(CommandIdentity(command)), .deadLetterKept(deadLetter),
            .deadLetterSentBack(deadLetter, .seconds5), .unroutedSentBack(CommandIdentity(message)),
            .replyPostponed(replyTo: "replies.a"), .eventsPostponed(1),
            .storeFailed(StoreError(.unavailable, detail: "08006")), .publishFailed("d"),
            .breakerChanged(.open, cause: nil), .commandsGivenBack, .commandsTakenAgain,
            .membersChanged(2, owned: [1]), .swept(.reconcile, SweepReport(), duration: .seconds(1)),
            .sweepFailed(.expire, StoreError(.unavailable, detail: "08006")), .tickUnreadable,
            .expired(command.paymentID),
        ]
    }

    /// Its body is no JSON.
    private static func invalidCommand() throws -> InvalidCommand {
        let message = Message(
            type: "payment.capture.v1",
            contentType: "application/json",
            messageID: "m-1",
            headers: [
                HeaderName.idempotencyKey: .string("key-1"),
                HeaderName.paymentID: .string(Samples.paymentID.description),
            ],
            body: Array("{".utf8)
        )
        guard case .answerable(let command) = CommandDecoder().decode(message) else { throw Samples.Failure.unexpected }
        return command
    }

    @Test("payment, key and message id; without a delivery payment, key and operation")
    func identity() throws {
        var seen: Set<Subject> = []
        for event in try Self.events() {
            let subject = Self.subject(of: event)
            seen.insert(subject)
            let log = try CapturedLog(level: .debug)
            ProcessorTelemetry(
                logger: log.logger,
                metrics: ProcessorMetrics(registry: PrometheusRegistry()),
                readiness: Readiness(),
                time: ManualTime()
            ).observe(event)
            let keys: [LogKey]
            switch subject {
            case .command: keys = [.paymentID, .idempotencyKey, .messageID]
            case .operation: keys = [.paymentID, .idempotencyKey, .operationID]
            case .other: continue
            }
            let lines = log.lines()
            #expect(lines.count == 1, "\(event)")
            for key in keys {
                #expect(lines.allSatisfy { $0.contains(" \(key.rawValue)=") }, "\(key.rawValue): \(lines)")
            }
        }
        #expect(seen == [.command, .operation, .other])
    }
}
