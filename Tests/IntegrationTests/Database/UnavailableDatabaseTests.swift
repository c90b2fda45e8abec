import TestSupport
import Testing

extension CommandLane {
    @Suite("A database that is unavailable for longer than a delivery may be held", .timeLimit(.minutes(10)))
    struct UnavailableDatabaseTests {
        @Test(
            "commands go back to the broker, which keeps their order, also for the processor that follows",
            arguments: [false, true]
        )
        func keepsOrder(isReplaced: Bool) async throws {
            try await World.run { world in
                let first = try await world.startProcessor()
                try await world.database.setAway(true)
                let authorize = TestCommand.authorize()
                let payment = authorize.paymentID
                let commands = [authorize, .capture(payment), .void(payment), .refund(payment)]
                try await world.send(Array(commands.prefix(2)))
                try await first.logged("no commands are taken: those without a place go back to the broker")
                try await world.send(Array(commands.suffix(2)))
                if isReplaced {
                    try await first.child.crash()
                    try await world.database.setAway(false)
                    try await world.startProcessor()
                } else {
                    try await world.database.setAway(false)
                }
                let results = try await world.upstream.finalReplies(to: commands).map(\.result)
                #expect(results == ["succeeded", "succeeded", "rejected invalid_transition", "succeeded"])
            }
        }
    }
}
