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
    }

    private let world: World
    private let services: PrivateServices
    private let settings: TortureSettings
    private var generator: TortureRandom
    private var processors: [ProcessorProcess] = []
    private(set) var counts: [Kind: Int] = [:]

    init(_ world: World, _ services: PrivateServices, _ settings: TortureSettings) {
        self.world = world
        self.services = services
        self.settings = settings
        generator = TortureRandom(seed: settings.seed, stream: 0)
    }

    func start() async throws {
        for _ in 0..<2 { processors.append(try await world.startProcessor()) }
    }

    /// Until the time is over; then everything is as it should be, and two processors run.
    func run(until end: ContinuousClock.Instant, report: (String) -> Void) async throws {
        let kinds = Kind.allCases.filter { kind in
            settings.only.map { $0 == kind.rawValue } ?? (settings.hasDrift || kind != .drift)
        }
        guard !kinds.isEmpty else { throw ChildError("no such kind of trouble: \(settings.only ?? "")") }
        while ContinuousClock.now < end {
            try await Task.sleep(for: .milliseconds(.random(in: 500...6_000, using: &generator)))
            let kind = kinds.randomElement(using: &generator) ?? .processorKilled
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
            processors[index] = try world.spawnProcessor()
        case .processorFrozen:
            processors[index].child.send(SIGSTOP)
            try await Task.sleep(for: pause)
            processors[index].child.send(SIGCONT)
        case .processorEnded:
            guard try await processors[index].terminate() == .status(0) else {
                throw ChildError("a processor did not end in good order\n\(processors[index].child.lastWords)")
            }
            processors[index] = try world.spawnProcessor()
        case .brokerKilled:
            try await services.call("kill", "rabbitmq")
            try await services.call("start", "rabbitmq")
        case .databaseKilled:
            try await services.call("kill", "postgres")
            try await services.call("start", "postgres")
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
