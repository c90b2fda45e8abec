import AMQP
import Core
import TestSupport
import Testing

// In no lane: these sleep on a retry tier, side by side.
@Suite("Faults of the bank", .timeLimit(.minutes(10)))
struct BankFaultTests {
    /// What goes wrong with the first request of an operation.
    static let faults = ["timeout-after-execute", "drop-before", "drop-after", "error-500", "garbage"]

    @Test("whatever becomes of the first request, it is sent again under the same key and has one effect")
    func oneEffect() async throws {
        try await World.run(World.Settings(processor: World.shortLease)) { world in
            try await world.startProcessor()
            var authorizes: [TestCommand] = []
            for fault in Self.faults { authorizes.append(try await suffer(fault, .authorize(), in: world)) }
            let authorized = try await world.upstream.finalReplies(to: authorizes)
            #expect(authorized.map(\.result) == Self.faults.map { _ in "succeeded" })

            var captures: [TestCommand] = []
            for (fault, authorize) in zip(Self.faults, authorizes) {
                captures.append(try await suffer(fault, .capture(authorize.paymentID), in: world))
            }
            let captured = try await world.upstream.finalReplies(to: captures)
            #expect(captured.map(\.result) == Self.faults.map { _ in "succeeded" })
            try await checkKeys(in: world)
        }
    }

    @Test("a bank that fails for a while declines nothing: voids and refunds go through in the end")
    func voidAndRefund() async throws {
        try await World.run(World.Settings(processor: World.shortLease)) { world in
            try await world.startProcessor()
            let voided = try await world.authorized()
            let refunded = try await world.authorized()
            try await world.ask(.capture(refunded))
            let void = try await suffer("drop-after", .void(voided), in: world)
            let refund = try await suffer("drop-after", .refund(refunded), in: world)
            let replies = try await world.upstream.finalReplies(to: [void, refund])
            #expect(replies.map(\.result) == ["succeeded", "succeeded"])
            try await checkKeys(in: world)
        }
    }

    @Test("an operation that is deferred for the second time says once that its outcome is unknown")
    func provisionalReply() async throws {
        try await World.run(World.Settings(processor: World.shortLease)) { world in
            try await world.startProcessor()
            // Not a number of times: a sweep may ask in between.
            try await world.bank.fault("drop-after", on: .authorize, count: nil)
            let command = TestCommand.authorize()
            try await world.send(command)
            let unknown = try await world.upstream.reply(to: command.correlation) { !$0.isFinal }
            #expect(unknown.result == "unknown unknown_outcome")
            #expect(unknown.isReplayed != false)
            try await world.bank.clearFaults()
            let final = try await world.upstream.finalReply(to: command)
            #expect(final.result == "succeeded")
            #expect(final.message.properties.messageID != unknown.message.properties.messageID)
            #expect(world.upstream.replies(to: command.correlation).count == 2)
        }
    }

    @Test("a bank that is not there is waited for")
    func down() async throws {
        try await World.run(World.Settings(processor: World.shortLease)) { world in
            try await world.startProcessor()
            try await world.bank.fault("down", count: nil)
            let command = TestCommand.authorize()
            try await world.send(command)
            try await eventually("the bank was asked") { try await !world.bank.requests().isEmpty }
            try await world.bank.clearFaults()
            #expect(try await world.upstream.finalReply(to: command).result == "succeeded")
        }
    }

    /// Sends a command whose first request goes wrong, and waits until it has.
    private func suffer(_ fault: String, _ command: TestCommand, in world: World) async throws -> TestCommand {
        let before = try await world.bank.requests().count { $0.fault != nil }
        // Held for longer than the bank is waited for.
        let milliseconds = fault == "timeout-after-execute" ? 20_000 : nil
        try await world.bank.fault(fault, on: command.kind, milliseconds: milliseconds)
        try await world.send(command)
        try await eventually("the request suffered \(fault)") {
            try await world.bank.requests().count { $0.fault != nil } == before + 1
        }
        return command
    }

    /// Every operation has one key, whatever number of requests it took.
    private func checkKeys(in world: World) async throws {
        let keys = Set(try await world.bank.requests().map(\.bankKey))
        #expect(Int64(keys.count) == (try await world.database.number("SELECT count(*) FROM operations")))
    }
}
