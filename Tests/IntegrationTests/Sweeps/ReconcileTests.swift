import AMQP
import BrokerMapping
import Core
import TestSupport
import Testing

extension FaultLane {
    @Suite("What is stuck is finished by the reconciling sweep", .timeLimit(.minutes(15)))
    struct ReconcileTests {
        @Test(
            "whatever its processor had done before it was killed, with the reply in the original queue",
            arguments: [OperationKind.capture, .void, .refund],
            StuckPoint.allCases
        )
        func stuck(_ kind: OperationKind, _ point: StuckPoint) async throws {
            try await World.run(World.Settings(processor: SweepTimes.soon)) { world in
                let first = try await world.startProcessor()
                let payment = try await world.authorized()
                if kind == .refund { try await world.ask(.capture(payment)) }
                #expect(try await first.terminate() == .status(0))
                let command =
                    switch kind {
                    case .capture: TestCommand.capture(payment)
                    case .void: TestCommand.void(payment)
                    default: TestCommand.refund(payment)
                    }
                try await point.leaveBehind(command, in: world)
                let events = try await world.upstream.listenToEvents(of: world.names)
                try await world.startProcessor()

                if point == .beforeTheReply { try await world.checkAgainSoon() }
                let reply = try await world.upstream.finalReply(to: command)
                #expect(reply.result == "succeeded")
                #expect(reply.paymentStatus == kind.succeeded.rawValue)
                #expect(reply.isReplayed == true)
                #expect(reply.message.properties.messageID?.hasSuffix("-final") == true)
                // The same bytes for whoever asks again.
                let again = try await world.ask(command.duplicate)
                #expect(again.message.body == reply.message.body)
                #expect(again.message.properties.messageID == reply.message.properties.messageID)
                let published = try await eventually("the event came") {
                    try await world.upstream.browse(events).first { $0.properties.messageID?.hasSuffix("ed") == true }
                }
                #expect(published.properties.type == "payment.\(kind.succeeded.rawValue.lowercased()).v1")
                let keys = Set(try await world.bank.requests().filter { $0.path.contains(kind.path) }.map(\.bankKey))
                #expect(keys.count == 1)
                try await world.upstream.withConnection { _ = try await $0.deleteQueue(events) }
            }
        }

        @Test(
            "an authorize whose card is gone is asked for by its key alone, and what follows it goes on",
            arguments: [StuckPoint.beforeTheAnswer, .beforeTheResult]
        )
        func askedByKey(_ point: StuckPoint) async throws {
            try await World.run(World.Settings(processor: SweepTimes.soon)) { world in
                try await world.startProcessor().terminate()
                let command = TestCommand.authorize()
                try await point.leaveBehind(command, in: world)
                try await world.startProcessor()
                let capture = TestCommand.capture(command.paymentID)
                try await world.send(capture)
                let reply = try await world.upstream.finalReply(to: command)
                #expect(reply.result == "succeeded")
                #expect(reply.paymentStatus == "AUTHORIZED")
                #expect(try await world.upstream.finalReply(to: capture).result == "succeeded")
                #expect(try await world.bank.ledger().map(\.operation) == ["authorize", "capture"])
            }
        }

        @Test(
            "an authorize that the bank does not know waits for its redelivery, and needs manual review after 23 hours"
        )
        func pending() async throws {
            try await World.run(World.Settings(processor: SweepTimes.soon, isAudited: false)) { world in
                try await world.startProcessor().terminate()
                let command = TestCommand.authorize()
                try await StuckPoint.beforeTheBank.leaveBehind(command, in: world)
                let events = try await world.upstream.listenToEvents(of: world.names)
                try await world.startProcessor()
                try await eventually("it was checked") {
                    try await world.database.number("SELECT coalesce(max(checks), 0) FROM open_operations") > 0
                }
                try await eventually("it was asked for") {
                    try await world.database.number("SELECT count(*) FROM operations WHERE state = 'UNKNOWN'") == 1
                }

                try await world.database.execute("UPDATE operations SET first_sent_at = now() - interval '23 hours'")
                try await world.database.execute("UPDATE open_operations SET due_at = now()")
                let reply = try await world.upstream.reply(to: command.correlation)
                #expect(reply.result == "unknown unknown_outcome")
                #expect(!reply.isFinal)
                #expect(reply.paymentStatus == "PENDING")
                let event = try await eventually("the event came") {
                    try await world.upstream.browse(events).first
                }
                #expect(event.properties.type == "payment.needs_attention.v1")
                let deadLetter = try #require(try await world.keptDeadLetters(1).first)
                #expect(deadLetter["code"]?.string == "needs_attention")
                #expect(deadLetter["message"]?.string == "authorize_abandoned")
                #expect(deadLetter["idempotency_key"]?.string == command.key)
                #expect(deadLetter["replayable"] == .bool(false))
                let rows = try await world.database.rows("SELECT state, last_error FROM operations")
                #expect(rows.first?["state"]?.string == "NEEDS_ATTENTION")
                #expect(
                    try await world.database.rows("SELECT status FROM payments").first?["status"]?.string == "PENDING"
                )
                // Once is enough.
                try await world.database.execute("UPDATE open_operations SET due_at = now()")
                try await eventually("it was forgotten") {
                    try await world.database.number("SELECT count(*) FROM open_operations") == 0
                }
                try await world.upstream.withConnection { _ = try await $0.deleteQueue(events) }
            }
        }
    }
}

extension OperationKind {
    fileprivate var path: String {
        switch self {
        case .authorize: "authorizations"
        case .capture: "captures"
        case .void: "voids"
        case .refund: "refunds"
        }
    }
}
