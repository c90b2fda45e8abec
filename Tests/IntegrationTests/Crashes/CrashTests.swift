import AMQP
import Core
import Glibc
import TestSupport
import Testing

extension FaultLane {
    @Suite("Crashes", .timeLimit(.minutes(15)))
    struct CrashTests {
        @Test("when a processor is killed while it waits for the bank, another one finishes, with one effect")
        func killedInMidCall() async throws {
            // Not the sweep, which might come by at that moment and ask by the key.
            let settings = World.shortLease.merging(["SWEEPS_RECONCILE_PERIOD": "168h"]) { $1 }
            try await World.run(World.Settings(processor: settings)) { world in
                let first = try await world.startProcessor()
                try await world.startProcessor()
                try await world.bank.fault("latency", milliseconds: 2_500)
                let command = TestCommand.authorize()
                try await world.send(command)
                try await eventually("the call was at the bank") { try await world.bank.requests().count == 1 }
                // The first to subscribe has all queues.
                try await first.child.crash()

                let reply = try await world.upstream.finalReply(to: command)
                #expect(reply.result == "succeeded")
                let requests = try await world.bank.requests()
                // It may have been asked by the key meanwhile, while it was executing the first one.
                #expect(requests.count { $0.status == 200 } == 2 && requests.count <= 3)
                #expect(Set(requests.map(\.bankKey)).count == 1)
                #expect(requests.last?.isReplay == true)
                let rows = try await world.database.rows("SELECT attempts, fencing_token FROM operations")
                // One, where the key was asked about when the first request had been executed.
                #expect([1, 2].contains(rows.first?["attempts"]?.integer))
                #expect(rows.first?["fencing_token"]?.integer == 2)
            }
        }

        @Test("a processor that was frozen beyond its lease does no harm when it wakes up")
        func zombie() async throws {
            try await World.run(World.Settings(processor: World.shortLease)) { world in
                let first = try await world.startProcessor()
                try await world.startProcessor()
                try await world.bank.fault("latency", milliseconds: 2_000)
                let command = TestCommand.authorize()
                try await world.send(command)
                try await eventually("the call was at the bank") { try await world.bank.requests().count == 1 }
                first.child.send(SIGSTOP)

                // The broker gives up the silent consumer after two heartbeats, and delivers to the second processor.
                let reply = try await world.upstream.finalReply(to: command, within: .seconds(240))
                #expect(reply.result == "succeeded")
                first.child.send(SIGCONT)
                try await first.answersReady(200)
                #expect(try await world.ask(command.duplicate).message.body == reply.message.body)
                let all = world.upstream.replies(to: command.correlation)
                #expect(Set(all.map(\.message.body)).count == 1)
                #expect(Set(all.map(\.message.properties.messageID)).count == 1)
                #expect(try await first.terminate() == .status(0))
            }
        }

        @Test("processors killed at random moments under a stream of commands lose nothing and double nothing")
        func killedAtRandom() async throws {
            let settings = World.Settings(
                bank: ["MIN_LATENCY_MS": "5", "MAX_LATENCY_MS": "150"],
                processor: World.shortLease
            )
            try await World.run(settings) { world in
                var processors = [try await world.startProcessor(), try await world.startProcessor()]
                let traffic = Traffic(payments: 75)
                let stream = Task { try await traffic.publish(to: world, pause: .milliseconds(100)) }
                var kills = 0
                while world.upstream.replyCount < traffic.commands.count * 2 / 3, kills < 8 {
                    // Not for the sake of order: it is what puts the kills at moments that nobody has chosen.
                    try await Task.sleep(for: .milliseconds(.random(in: 200...2_000)))
                    let victim = Int.random(in: 0..<processors.count)
                    try await processors[victim].child.crash()
                    kills += 1
                    processors[victim] = try world.spawnProcessor()
                }
                #expect(kills >= 2)
                try await stream.value
                try await traffic.check(in: world)
            }
        }
    }
}
