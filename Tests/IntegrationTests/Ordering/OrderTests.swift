import AMQP
import Core
import TestSupport
import Testing

extension FaultLane {
    @Suite("The order of one payment's commands", .timeLimit(.minutes(15)))
    struct OrderTests {
        @Test(
            "what was sent after a capture does not overtake it while it waits for its authorize",
            arguments: [OperationKind.refund, .void]
        )
        func nothingOvertakes(_ last: OperationKind) async throws {
            // The lease of the usual settings, 32 s: so long that the capture waits on the second tier in the end.
            try await World.run { world in
                let first = try await world.startProcessor()
                try await world.bank.fault("latency", on: .authorize, count: 2, milliseconds: 3_000)
                let authorize = TestCommand.authorize()
                try await world.send(authorize)
                try await world.bankReceives(1)
                try await first.child.crash()
                try await world.startProcessor()
                let capture = TestCommand.capture(authorize.paymentID)
                try await world.send(capture)
                // The moment at which whatever comes first is applied.
                #expect(try await world.upstream.finalReply(to: authorize, within: .seconds(240)).result == "succeeded")
                let command = last == .refund ? TestCommand.refund(authorize.paymentID) : .void(authorize.paymentID)
                try await world.send(command)

                let results = try await world.upstream.finalReplies(to: [capture, command]).map(\.result)
                #expect(results == ["succeeded", last == .refund ? "succeeded" : "rejected invalid_transition"])
                let status = try await world.database.rows("SELECT status FROM payments").first?["status"]?.string
                #expect(status == (last == .refund ? "REFUNDED" : "CAPTURED"))
            }
        }

        @Test("an outage refuses no capture whose authorize succeeds: what it defers keeps its order")
        func outageBetween() async throws {
            try await World.run(World.Settings(processor: World.shortLease, partitions: 4)) { world in
                try await world.startProcessor()
                _ = try await world.authorized()
                try await world.bank.fault("error-500", count: nil)
                let first = (0..<12).map { _ in TestCommand.authorize() }
                try await world.send(first)
                try await eventually("the breaker opened") { try await world.metric("payments_breaker_open") == 1 }
                let authorizes = (0..<40 * TestScale.ordering).map { _ in TestCommand.authorize() }
                let captures = authorizes.map { TestCommand.capture($0.paymentID) }
                for (authorize, capture) in zip(authorizes, captures) {
                    try await world.send(authorize)
                    try await world.send(capture)
                }
                // Each probe takes a command from every queue, and all but one of them are deferred.
                let before = try await world.bank.requests().count
                try await world.bankReceives(before + 5, within: .seconds(180))
                try await world.bank.clearFaults()

                try await world.expect(first + authorizes, endAs: "succeeded")
                try await world.expect(captures, endAs: "succeeded")
            }
        }
    }
}
