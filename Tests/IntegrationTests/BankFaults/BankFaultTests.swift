import AMQP
import BankContract
import Core
import HTTPClient
import TestSupport
import Testing

@testable import Processor

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

extension CommandLane {
    @Suite("What the bank says of a card", .timeLimit(.minutes(3)))
    struct EchoTests {
        /// Everything that a bank should not say, and more than its API has.
        private static let body = #"""
            {"error":"card_declined","message":"4111 1111 1111 1111 (4111111111111111), cvv 123, amount 5000","cvv":"123",\#
            "card":{"number":"4111111111111111"},"pan":"4111-1111-1111-1111","debug":["4111111111111111"]}
            """#

        @Test("only the fields of its API are stored and replied, without the card; the reply stays the same forever")
        func echo() async throws {
            try await World.run { world in
                let processor = try await world.startProcessor()
                try await world.bank.answer(402, Self.body, on: .authorize, executes: false)
                let command = TestCommand.authorize()
                let first = try await world.ask(command)
                #expect(first.result == "declined card_declined")
                let expected = JSONValue.object([
                    "error": .string("card_declined"),
                    "message": .string("4111 11** **** 1111 (411111******1111), cvv ***, amount 5000"),
                ])
                #expect(first.json["bank_response"]?["body"] == expected)
                #expect(first.json["error"]?["message"] == expected["message"])
                try await CardDataSearch(world, numbers: ["4111 1111", "4111-1111"]).run()

                try await processor.terminate()
                try await world.startProcessor()
                try await world.send(command)
                try await eventually("the command was answered again") {
                    world.upstream.replies(to: command.correlation).count == 2
                }
                let bodies = Set(world.upstream.replies(to: command.correlation).map(\.message.body))
                #expect(bodies == [first.message.body])
            }
        }
    }
}

@Suite("The bank simulator keeps the bank contract", .serialized, .timeLimit(.minutes(5)))
struct BankContractTests {
    @Test("every check", arguments: BankCheck.all)
    func check(_ check: BankCheck) async throws {
        let process = try await BankProcess([:])
        let client = try HTTPClient(configuration: HTTPClientConfiguration())
        let result: Result<Void, any Error>
        do {
            try await check.run(on: Subject(process: process, bank: HTTPBank(client: client, url: process.url)))
            result = .success(())
        } catch {
            result = .failure(error)
        }
        await client.shutdown()
        await process.stop()
        try result.get()
    }

    struct Subject: BankUnderTest {
        let process: BankProcess
        let bank: any Core.Bank

        func cause(_ trouble: BankTrouble, on operation: OperationKind) async throws {
            try await process.fault(
                trouble.rawValue,
                on: operation,
                milliseconds: trouble == .latency ? 200 : nil
            )
        }

        func effects(_ key: String) async throws -> Int { try await process.ledger().count { $0.bankKey == key } }

        func pass(_ duration: Duration) async throws { try await Task.sleep(for: duration) }
    }
}
