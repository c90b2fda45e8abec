import Core
import TestSupport
import Testing

extension CommandLane {
    @Suite("An authorize that found no database", .timeLimit(.minutes(10)))
    struct UnplacedTests {
        @Test("is waited for by its capture, also in the processor that follows the one which deferred it")
        func acrossProcesses() async throws {
            try await World.run { world in
                let first = try await world.startProcessor()
                try await world.database.setAway(true)
                let authorize = TestCommand.authorize()
                try await world.send(authorize)
                try await eventually("it was deferred", within: .seconds(60)) {
                    try await world.waiting(in: world.names.retryQueue(.seconds30)) == 1
                }
                try await first.child.crash()
                try await world.database.setAway(false)
                try await world.startProcessor()
                let (capture, unknown) = (TestCommand.capture(authorize.paymentID), TestCommand.capture(Random.id))
                try await world.send(capture)
                try await world.send(unknown)

                #expect(try await world.upstream.finalReply(to: capture).result == "succeeded")
                #expect(try await world.upstream.finalReply(to: authorize).result == "succeeded")
                #expect(try await world.upstream.finalReply(to: unknown).result == "rejected payment_not_found")
            }
        }
    }
}
