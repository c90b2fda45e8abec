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

extension FaultLane {
    @Suite("Answers that are lost on the way", .timeLimit(.minutes(10)))
    struct LostAnswerTests {
        @Test("a reply whose confirm was lost is sent again, the same, and one at most says that it is the original")
        func lostConfirm() async throws {
            try await World.run { world in
                let proxy = try TCPProxy(toPort: ServerURL(world.servers.amqpURL).port)
                defer { proxy.stop() }
                let address = ServerURL(world.servers.amqpURL).through(proxy)
                let processor = try await world.startProcessor(nil, ["AMQP_URL": address])
                // Its channels are open from now on.
                _ = try await world.authorized()
                try await world.bank.fault("latency", milliseconds: 1_500)
                let command = TestCommand.authorize()
                try await world.send(command)
                try await eventually("the call was at the bank") { try await world.bank.requests().count == 2 }
                // From here on the processor hears nothing of the broker, which hears everything.
                proxy.setStalled(.toClient, true)
                _ = try await world.upstream.finalReply(to: command)
                proxy.setRefusing(true)
                proxy.cutConnections()
                try await processor.answersReady(503)
                proxy.setStalled(.toClient, false)
                proxy.setRefusing(false)

                try await eventually("the reply came again") {
                    world.upstream.replies(to: command.correlation).count >= 2
                }
                try await processor.answersReady(200)
                // Behind everything that the processor had to say of the first.
                let next = TestCommand.authorize(paymentID: command.paymentID)
                #expect(try await world.ask(next).result == "rejected payment_exists")
                let replies = world.upstream.replies(to: command.correlation)
                #expect(Set(replies.map(\.message.body)).count == 1)
                #expect(Set(replies.map(\.message.properties.messageID)).count == 1)
                #expect(replies.count { $0.isReplayed == false } <= 1)
                #expect(try await world.bank.ledger().count == 2)
            }
        }
    }
}

extension FaultLane {
    /// A send without an answer, and then the bank declines: nothing that manual review must decide
    /// (docs/correctness.md#decline-after-silence).
    @Suite("Declines after a send without an answer", .timeLimit(.minutes(15)))
    struct KilledDeclineTests {
        @Test("a processor killed while the bank checks cards without funds: every command is declined in the end")
        func killedInMidCall() async throws {
            try await World.run(World.Settings(processor: World.shortLease)) { world in
                let first = try await world.startProcessor()
                let count = 20 * TestScale.bankFaults
                try await world.bank.fault("latency", on: .authorize, count: count, milliseconds: 1_500)
                let cards: [TestCard] = [.empty, .expired]
                let commands = (0..<count).map { TestCommand.authorize(card: cards[$0 % cards.count]) }
                try await world.send(commands)
                try await world.bankReceives(count)
                try await first.child.crash()
                try await world.startProcessor()

                let tally = try await world.tally(of: commands, within: .seconds(120))
                try #require(tally == ["declined insufficient_funds": count / 2, "declined card_expired": count / 2])
                #expect(try await world.openDeadLetters() == 0)
            }
        }

        @Test("a processor that starts during an outage does not send its whole backlog to a dead bank")
        func rollingRestart() async throws {
            try await World.run(World.Settings(processor: World.shortLease)) { world in
                let first = try await world.startProcessor()
                _ = try await world.authorized()
                try await world.bank.fault("down", count: nil)
                var commands = try await decline(40, in: world)
                try await eventually("the breaker opened") { try await world.metric("payments_breaker_open") == 1 }
                commands += try await decline(100, in: world)
                let second = try await world.startProcessor()
                #expect(try await first.terminate() == .status(0))
                // The bank's record does not say who asked: what the first one had under way counts for nobody here.
                let sends = { try await world.metric("payments_bank_calls_total", of: second) }
                try await eventually("the second one probed, and knew that the bank is out", within: .seconds(120)) {
                    guard try await world.metric("payments_breaker_open", of: second) == 1 else { return false }
                    return try await sends() >= 2
                }
                // Fewer than it takes to find out that the bank is out: it was known.
                #expect(try await sends() < 10, "sends of a processor that starts while the bank is down")

                try await world.bank.clearFaults()
                commands += try await decline(30, in: world)
                let tally = try await world.tally(of: commands, within: .seconds(180))
                try #require(tally == ["declined insufficient_funds": commands.count])
                #expect(try await world.openDeadLetters() == 0)
            }
        }

        /// Sends commands that the bank declines.
        private func decline(_ count: Int, in world: World) async throws -> [TestCommand] {
            let commands = (0..<count).map { _ in TestCommand.authorize(card: .empty) }
            try await world.send(commands)
            return commands
        }
    }
}
