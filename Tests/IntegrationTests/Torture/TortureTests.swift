import Core
import Foundation
import TestSupport
import Testing

/// `make torture`: real processes, minutes of trouble, then three ledgers are compared.
@Suite("Torture", .enabled(if: TortureSettings.asked != nil, "make torture runs it"), .timeLimit(.minutes(120)))
struct TortureTests {
    @Test("whatever is killed, the customers, the database and the bank agree in the end")
    func agree() async throws {
        let settings = try #require(TortureSettings.asked)
        try await TortureServers.run(isCluster: settings.isCluster) { servers in
            let world = World.Settings(
                servers: servers.all,
                bank: ["MIN_LATENCY_MS": "5", "MAX_LATENCY_MS": "300", "FAILURE_RATE": "0.02"],
                processor: World.shortLease.merging(
                    [
                        "SWEEPS_RECONCILE_PERIOD": "2s", "PAYMENT_BUSY_AFTER": "1h", "SHUTDOWN_GRACE": "20s",
                    ]
                ) { $1 },
                partitions: 4,
                deadLetters: nil,
                isAudited: false
            )
            try await World.run(world) { world in try await torture(world, servers, settings) }
        }
    }

    private func torture(_ world: World, _ servers: TortureServers, _ settings: TortureSettings) async throws {
        let trouble = TortureTrouble(world, servers, settings)
        let customers = TortureCustomers(settings)
        try await trouble.start()
        let started = ContinuousClock.now
        let end = started + settings.duration
        say(
            "seed \(settings.seed): \(settings.customers) customers, trouble for \(settings.duration.components.seconds) s"
        )
        async let paying: Void = customers.run(in: world, until: end)
        try await trouble.run(until: end) { kind in
            say("\((ContinuousClock.now - started).components.seconds) s: \(kind)")
        }
        try await paying
        let calm = ContinuousClock.now
        let purchases = customers.all
        let commands = purchases.flatMap { $0.steps.map(\.command) }
        say("the trouble is over: \(commands.count) commands of \(purchases.count) payments")
        _ = try await world.comesTrue(within: settings.drain) {
            guard commands.allSatisfy({ world.upstream.replies(to: $0.correlation).contains(where: \.isFinal) }) else {
                return false
            }
            return try await world.openOperations() == 0
        }
        let drained = (ContinuousClock.now - calm).components.seconds
        let report = try await TortureLedgers(world: world, purchases: purchases).report()
        let differences = report.differences
        let deadLetters = try await world.openDeadLetters()
        let counts = await trouble.counts
        let troubles = TortureTrouble.Kind.allCases.compactMap { kind in counts[kind].map { "\(kind.rawValue) \($0)" } }
        say(
            """
            seed \(settings.seed), \(settings.duration.components.seconds) s, \(purchases.count) payments, \
            \(commands.count) commands, \(world.upstream.replyCount) replies; \(troubles.joined(separator: ", ")); drained \
            in \(drained) s; \(deadLetters) dead letters, \(report.secondHolds) second holds of \(report.suspected) suspected; \
            \(differences.count) differences
            """
        )
        for difference in differences.prefix(50) { say("  \(difference)") }
        for purchase in purchases.filter({ isNamed($0, differences) }).prefix(3) { printStory(of: purchase, in: world) }
        #expect(differences.isEmpty)
        #expect(!commands.isEmpty)
    }

    private func isNamed(_ purchase: TortureCustomers.Purchase, _ differences: [String]) -> Bool {
        guard let payment = purchase.steps.first?.command.paymentID else { return false }
        return differences.contains { $0.contains(payment) }
    }

    /// All that the processors have logged of a payment.
    private func printStory(of purchase: TortureCustomers.Purchase, in world: World) {
        guard let payment = purchase.steps.first?.command.paymentID else { return }
        for (step, confirmed) in zip(purchase.steps, purchase.confirmed) {
            say(
                "  \(payment): sent \(step.command.kind) \(step.command.key), confirmed at \(confirmed.components.seconds) s"
            )
        }
        let lines = world.allProcessors.enumerated().flatMap { index, processor in
            processor.log.split(separator: "\n").filter { $0.contains(payment) }.map { "\($0) processor=\(index)" }
        }
        for line in lines.sorted().prefix(40) { say("    \(line)") }
    }

    private func say(_ line: String) {
        FileHandle.standardError.write(Data("torture: \(line)\n".utf8))
    }
}
