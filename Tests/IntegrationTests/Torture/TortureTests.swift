import Core
import Foundation
import Glibc
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

/// What `make torture` asks for.
struct TortureSettings: Sendable {
    let seed: UInt64
    /// How long there is trouble.
    let duration: Duration
    /// How long everything may take to be answered once the trouble is over.
    let drain: Duration
    /// Objects at the broker are deleted too.
    let hasDrift: Bool
    /// Three brokers, three processors, and a standby of the database that commits wait for.
    let isCluster: Bool
    /// The one kind of trouble that there is; `nil` for all.
    let only: String?
    /// Customers that pay at the same time.
    let customers: Int

    /// Nil where nobody has asked for it.
    static let asked: TortureSettings? = {
        guard let seconds = number("TORTURE_SECONDS") else { return nil }
        return TortureSettings(
            seed: number("TORTURE_SEED") ?? .random(in: 1...999_999),
            duration: .seconds(Int64(seconds)),
            drain: .seconds(Int64(number("TORTURE_DRAIN_SECONDS") ?? 1_200)),
            hasDrift: number("TORTURE_DRIFT") == 1,
            isCluster: number("TORTURE_CLUSTER") == 1,
            only: getenv("TORTURE_ONLY").map { String(cString: $0) },
            customers: Int(number("TORTURE_CUSTOMERS") ?? 12)
        )
    }()

    private static func number(_ name: String) -> UInt64? {
        getenv(name).flatMap { UInt64(String(cString: $0)) }
    }
}

/// Random words that the seed decides. Each customer and each kind of trouble has a generator of its own, so that what
/// one draws does not depend on how fast another is.
struct TortureRandom: RandomNumberGenerator, Sendable {
    private var state: UInt64

    init(seed: UInt64, stream: UInt64) {
        state = seed &* 0x9e37_79b9_7f4a_7c15 ^ stream &* 0xd134_2543_de82_ef95
    }

    /// SplitMix64.
    mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var mixed = state
        mixed = (mixed ^ mixed >> 30) &* 0xbf58_476d_1ce4_e5b9
        mixed = (mixed ^ mixed >> 27) &* 0x94d0_49bb_1331_11eb
        return mixed ^ mixed >> 31
    }

    /// An identifier that the seed decides.
    mutating func id() -> String {
        let words = (next(), next())
        let digits = [words.0, words.1].map { word in
            let text = String(word, radix: 16)
            return String(repeating: "0", count: 16 - text.count) + text
        }.joined()
        let parts = [(0, 8), (8, 12), (12, 16), (16, 20), (20, 32)].map { range in
            digits.dropFirst(range.0).prefix(range.1 - range.0)
        }
        return parts.joined(separator: "-")
    }

    mutating func chance(_ percent: Int) -> Bool { Int.random(in: 0..<100, using: &self) < percent }
}

/// The servers of a torture: one of each, or three brokers and a database with a standby.
struct TortureServers: Sendable {
    let brokers: [PrivateServices]
    private let cluster: BrokerCluster?

    /// Where the database is.
    var database: PrivateServices { brokers[0] }

    /// The addresses of all of them.
    var all: TestServers { from(0) }

    /// The same, but the broker with that number comes first.
    func from(_ index: Int) -> TestServers { cluster?.servers(from: index) ?? database.servers }

    /// Lets each broker lead as many queues as the others.
    func spreadLeaders() async throws {
        if cluster != nil { try await database.call("spread", "rabbitmq") }
    }

    /// Starts them, gives them to a test, and takes them down whatever happened.
    static func run(isCluster: Bool, _ body: (TortureServers) async throws -> Void) async throws {
        guard isCluster else {
            return try await PrivateServices.run { services in
                try await body(TortureServers(brokers: [services], cluster: nil))
            }
        }
        var first = PrivateServices.Kind(names: ["rabbitmq", "postgres", "standby"])
        first.environment["STANDBY"] = "synchronous"
        try await BrokerCluster.run(first) { cluster in
            try await body(TortureServers(brokers: cluster.nodes, cluster: cluster))
        }
    }
}
