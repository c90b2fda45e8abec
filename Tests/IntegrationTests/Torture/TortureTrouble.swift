import AMQP
import Core
import Glibc
import TestSupport

/// Kills, storms and drift, one after the other, at moments and of kinds that the seed decides.
actor TortureTrouble {
    enum Kind: String, CaseIterable {
        case processorKilled = "processor killed"
        case processorFrozen = "processor frozen"
        case processorEnded = "processor ended"
        case brokerKilled = "broker killed"
        case databaseKilled = "database killed"
        case bankStorm = "bank storm"
        case bankDown = "bank down"
        case drift = "object deleted"
        case brokerFrozen = "broker frozen"
        case databaseFailover = "database failed over"

        /// What needs somebody else who goes on.
        var needsCluster: Bool { self == .brokerFrozen || self == .databaseFailover }
    }

    private let world: World
    private let servers: TortureServers
    private let settings: TortureSettings
    private var generator: TortureRandom
    private var processors: [ProcessorProcess] = []
    /// The name of the PostgreSQL that takes writes.
    private var primary = "postgres"
    private(set) var counts: [Kind: Int] = [:]

    init(_ world: World, _ servers: TortureServers, _ settings: TortureSettings) {
        self.world = world
        self.servers = servers
        self.settings = settings
        generator = TortureRandom(seed: settings.seed, stream: 0)
    }

    func start() async throws {
        for index in 0..<(settings.isCluster ? 3 : 2) {
            processors.append(try await world.startProcessor(nil, environment(of: index)))
        }
        try await servers.spreadLeaders()
    }

    /// Each begins with a broker of its own.
    private func environment(of index: Int) -> [String: String] { ["AMQP_URL": servers.from(index).amqpURL] }

    /// Until the time is over; then everything is as it should be, and all processors run.
    func run(until end: ContinuousClock.Instant, report: (String) -> Void) async throws {
        let kinds = Kind.allCases.filter { kind in
            settings.only.map { $0 == kind.rawValue }
                ?? ((settings.hasDrift || kind != .drift) && (settings.isCluster || !kind.needsCluster))
        }
        guard !kinds.isEmpty else { throw ChildError("no such kind of trouble: \(settings.only ?? "")") }
        while ContinuousClock.now < end {
            try await Task.sleep(for: .milliseconds(.random(in: 500...6_000, using: &generator)))
            // There is one standby.
            let possible = kinds.filter { $0 != .databaseFailover || primary == "postgres" }
            guard let kind = possible.randomElement(using: &generator) else { break }
            report(kind.rawValue)
            try await make(kind)
            counts[kind, default: 0] += 1
        }
        try await world.bank.clearFaults()
        for index in processors.indices { try await processors[index].answersReady(200) }
    }

    private func make(_ kind: Kind) async throws {
        let index = Int.random(in: 0..<processors.count, using: &generator)
        let pause = Duration.milliseconds(.random(in: 200...8_000, using: &generator))
        switch kind {
        case .processorKilled:
            try await processors[index].child.crash()
            processors[index] = try world.spawnProcessor(nil, environment(of: index))
        case .processorFrozen:
            processors[index].child.send(SIGSTOP)
            try await Task.sleep(for: pause)
            processors[index].child.send(SIGCONT)
        case .processorEnded:
            guard try await processors[index].terminate() == .status(0) else {
                throw ChildError("a processor did not end in good order\n\(processors[index].child.lastWords)")
            }
            processors[index] = try world.spawnProcessor(nil, environment(of: index))
        case .brokerKilled:
            let broker = servers.brokers.randomElement(using: &generator) ?? servers.database
            try await broker.call("kill", "rabbitmq")
            try await broker.call("start", "rabbitmq")
        case .brokerFrozen:
            let broker = servers.brokers.randomElement(using: &generator) ?? servers.database
            try await broker.call("freeze", "rabbitmq")
            try await Task.sleep(for: pause)
            try await broker.call("thaw", "rabbitmq")
            // Where the others have missed it, it joins them anew.
            try await broker.call("start", "rabbitmq")
        case .databaseKilled:
            try await servers.database.call("kill", primary)
            try await servers.database.call("start", primary)
        case .databaseFailover:
            try await servers.database.call("kill", primary)
            primary = "standby"
            try await servers.database.call("promote", primary)
        case .bankStorm:
            let faults = ["timeout-after-execute", "drop-before", "drop-after", "garbage", "error-500", "latency"]
            try await world.bank.fault(
                faults.randomElement(using: &generator) ?? "latency",
                count: nil,
                milliseconds: .random(in: 50...6_000, using: &generator),
                probability: Double.random(in: 0.05...0.6, using: &generator)
            )
            try await Task.sleep(for: pause)
            try await world.bank.clearFaults()
        case .bankDown:
            try await world.bank.fault("down", count: nil)
            try await Task.sleep(for: pause)
            try await world.bank.clearFaults()
        case .drift:
            try await deleteSomething()
        }
        for processor in processors where !processor.child.isRunning {
            throw ChildError("a processor ended by itself\n\(processor.child.lastWords)")
        }
    }

    /// What can be declared again and holds nothing that waits: exchanges.
    private func deleteSomething() async throws {
        let names = [world.names.eventsExchange, world.names.sweeps, world.names.retryExchange]
        let name = names.randomElement(using: &generator) ?? world.names.eventsExchange
        try await world.upstream.withConnection { try await $0.deleteExchange(name) }
    }
}
