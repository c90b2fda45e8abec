import AMQP
import Core
import TestSupport
import Testing

extension CommandLane {
    @Suite("Expiry by the bank's clock", .timeLimit(.minutes(10)))
    struct ExpireTests {
        private static func settings(_ changes: [String: String] = [:]) -> World.Settings {
            World.Settings(
                bank: ["AUTH_EXPIRY_SECONDS": "7200"],
                processor: SweepTimes.byHand.merging(changes) { $1 }
            )
        }

        @Test("an authorization expires once the bank's clock says so, and not before", arguments: [-3_600, 0, 3_600])
        func expires(_ skew: Int) async throws {
            try await World.run(Self.settings()) { world in
                try await world.bank.setClock(ahead: skew)
                try await world.startQuietProcessor()
                let events = try await world.upstream.listenToEvents(of: world.names)
                let payment = try await world.authorized()
                // Past its expiry, within the grace period of an hour.
                try await world.bank.setClock(ahead: skew + 10_700)
                #expect(try await world.sweep("expire")["examined"]?.integer == 0)
                try await world.bank.setClock(ahead: skew + 10_810)
                let dry = try await world.sweep("expire", "--dry-run")
                #expect(dry["examined"]?.integer == 1)
                #expect(dry["waiting"]?.integer == 1)
                let report = try await world.sweep("expire")
                #expect(report["examined"]?.integer == 1)
                #expect(report["resolved"]?.integer == 1)
                #expect(try await status(payment, world) == "EXPIRED")
                try await eventually("the event came") {
                    try await world.upstream.browse(events).last?.properties.type == "payment.expired.v1"
                }
                // The bank accepts it, and frees the hold.
                #expect(try await world.ask(.void(payment)).result == "succeeded")
                #expect(try await world.ask(.capture(payment)).result == "rejected invalid_transition")
                try await world.upstream.withConnection { _ = try await $0.deleteQueue(events) }
            }
        }

        @Test("a capture after the expiry, before its proof, is sent: the bank decides")
        func captureBeforeProof() async throws {
            try await World.run(Self.settings()) { world in
                try await world.startQuietProcessor()
                let payment = try await world.authorized()
                try await world.bank.setClock(ahead: 7_300)
                #expect(try await world.sweep("expire")["resolved"]?.integer == 0)
                let reply = try await world.ask(.capture(payment))
                #expect(reply.result == "declined authorization_expired")
                #expect(reply.paymentStatus == "EXPIRED")
                #expect(try await world.bank.requests().contains { $0.path.contains("captures") })
            }
        }

        @Test("with sweeps.expire.void the hold is voided, by an operation that nobody is answered for")
        func voids() async throws {
            try await World.run(Self.settings(["SWEEPS_EXPIRE_VOID": "true"])) { world in
                try await world.startQuietProcessor()
                let payment = try await world.authorized()
                try await world.bank.setClock(ahead: 20_000)
                let report = try await world.sweep("expire")
                #expect(report["resolved"]?.integer == 1)
                #expect(try await status(payment, world) == "VOIDED")
                #expect(try await world.bank.ledger().map(\.operation) == ["authorize", "void"])
                #expect(try await world.database.number("SELECT count(*) FROM outbox WHERE destination = 'reply'") == 0)
            }
        }

        @Test("not found is no proof, nor is an error")
        func noProof() async throws {
            try await World.run(Self.settings()) { world in
                try await world.startQuietProcessor()
                let payment = try await world.authorized()
                try await world.bank.setClock(ahead: 20_000)
                try await world.bank.fault("error-500", on: nil, count: 1)
                let report = try await world.sweep("expire")
                #expect(report["waiting"]?.integer == 1)
                #expect(try await status(payment, world) == "AUTHORIZED")
                // Checked: not again before its time has come.
                #expect(try await world.sweep("expire")["examined"]?.integer == 0)
                try await world.bank.setClock(ahead: 20_100)
                #expect(try await world.sweep("expire")["resolved"]?.integer == 1)
            }
        }

        private func status(_ payment: String, _ world: World) async throws -> String? {
            try await world.database.rows("SELECT status FROM payments WHERE id = '\(payment)'").first?["status"]?
                .string
        }
    }
}
