import AMQP
import Core
import Foundation
import Glibc
import Synchronization
import TestSupport
import Testing

/// Everything around a processor, a test's own: a database, names at the broker, a bank simulator, an upstream service, and
/// the processors under test.
final class World: Sendable {
    struct Settings: Sendable {
        /// `nil`: those of the environment.
        var servers: TestServers?
        /// The environment of the bank simulator.
        var bank: [String: String] = [:]
        /// The environment of every processor.
        var processor: [String: String] = [:]
        var partitions = 2
        /// How many dead letters must be open at the end; `nil` for any number.
        var deadLetters: Int? = 0
        /// Of everything at the broker; `nil` for one that no other test has.
        var prefix: String?
        /// Off for the tests of the audit itself.
        var isAudited = true
    }

    /// Times that are over soon, for tests of takeovers. A bank call is answered at once unless a fault delays it.
    static let shortLease = ["BANK_TIMEOUT": "4s", "BANK_WORST_CASE": "1s", "OPERATION_LEASE": "6s"]

    let settings: Settings
    let servers: TestServers
    let names: BrokerNames
    let database: TestDatabase
    let bank: BankProcess
    let upstream: Upstream
    private let processors = Mutex<[ProcessorProcess]>([])

    /// Makes a world, runs a test in it, audits what the test has left, and takes the world down whatever happened.
    static func run(_ settings: Settings = Settings(), _ body: (World) async throws -> Void) async throws {
        let world = try await World(settings)
        do {
            try await world.upstream.start()
            try await body(world)
            if settings.isAudited { try await Audit(world).run() }
        } catch {
            for processor in world.allProcessors { Issue.record("\(processor.child.lastWords)") }
            await world.takeDown()
            throw error
        }
        await world.takeDown()
    }

    private init(_ settings: Settings) async throws {
        let servers = try settings.servers ?? TestServers.fromEnvironment()
        self.settings = settings
        self.servers = servers
        names = BrokerNames(prefix: settings.prefix ?? "test-\(Random.name)")
        upstream = try Upstream(servers)
        bank = try await BankProcess(settings.bank)
        do {
            database = try await TestDatabase(servers)
        } catch {
            await bank.stop()
            throw error
        }
    }

    // MARK: Processors

    /// Those that have ended included.
    var allProcessors: [ProcessorProcess] { processors.withLock { $0 } }

    /// The environment of a processor in this world.
    func environment(_ names: BrokerNames? = nil, _ changes: [String: String] = [:]) -> [String: String] {
        var environment = [
            "AMQP_URL": servers.amqpURL, "DATABASE_URL": database.url, "BANK_URL": bank.url,
            "AMQP_PREFIX": (names ?? self.names).prefix, "AMQP_PARTITIONS": "\(settings.partitions)", "ADMIN_PORT": "0",
            "BANK_TIMEOUT": "30s", "BANK_WORST_CASE": "1s", "OPERATION_LEASE": "32s", "CARDS_ACCEPT_PLAIN": "true",
            "ALLOW_PLAINTEXT": "true",
        ]
        environment.merge(settings.processor) { $1 }
        return environment.merging(changes) { $1 }
    }

    /// Starts one more processor, and returns at once.
    func spawnProcessor(
        _ names: BrokerNames? = nil,
        _ changes: [String: String] = [:]
    ) throws -> ProcessorProcess {
        let names = names ?? self.names
        let process = try ProcessorProcess(names: names, environment: environment(names, changes))
        processors.withLock { $0.append(process) }
        return process
    }

    /// Starts one more processor, and waits until it is ready: it has subscribed.
    @discardableResult
    func startProcessor(
        _ names: BrokerNames? = nil,
        _ changes: [String: String] = [:]
    ) async throws -> ProcessorProcess {
        let process = try spawnProcessor(names, changes)
        try await process.answersReady(200)
        return process
    }

    /// Runs a command of the processor to its end.
    ///
    /// - Parameter output: where its standard output goes, instead of being returned.
    func command(
        _ arguments: [String],
        _ changes: [String: String] = [:],
        output: String? = nil
    ) async throws -> (exit: Child.Exit, output: String, errors: String) {
        let environment = environment(nil, changes)
        return try await runToEnd(
            Child(TestPrograms.processor(), arguments, environment: environment, output: output)
        )
    }

    /// Runs the publisher to its end.
    func publisher(
        _ arguments: [String],
        _ changes: [String: String] = [:],
        output: String? = nil
    ) async throws -> (exit: Child.Exit, output: String, errors: String) {
        try await runToEnd(
            Child(TestPrograms.publisher(), arguments, environment: environment(nil, changes), output: output)
        )
    }

    private func runToEnd(_ child: Child) async throws -> (exit: Child.Exit, output: String, errors: String) {
        do {
            let exit = try await child.end(within: .seconds(120))
            defer { child.directory.remove() }
            return (exit, child.standardOutput, child.standardError)
        } catch {
            child.send(SIGKILL)
            throw error
        }
    }

    // MARK: Commands

    /// Publishes commands to this world's queues.
    func send(_ commands: TestCommand...) async throws {
        try await upstream.publish(commands, to: names)
    }

    func send(_ commands: [TestCommand]) async throws {
        try await upstream.publish(commands, to: names)
    }

    /// Publishes a command, and waits for its final reply.
    @discardableResult
    func ask(_ command: TestCommand) async throws -> ReceivedReply {
        try await send(command)
        return try await upstream.finalReply(to: command)
    }

    /// A payment that has been authorized.
    func authorized(_ amount: Int = 5000) async throws -> String {
        let command = TestCommand.authorize(amount: amount)
        let reply = try await ask(command)
        try #require(reply.result == "succeeded")
        return command.paymentID
    }

    // MARK: The end

    private func takeDown() async {
        for processor in allProcessors {
            processor.child.send(SIGCONT)
            processor.child.send(SIGKILL)
            _ = try? await processor.child.end()
        }
        // What cannot be removed is only left over: each of these has a name of its own.
        try? await removeFromBroker()
        await upstream.stop()
        await bank.stop()
        try? await database.drop()
        for processor in allProcessors { processor.child.directory.remove() }
        bank.child.directory.remove()
    }

    private func removeFromBroker() async throws {
        let used = Set(allProcessors.map(\.names) + [names])
        let replies = upstream.replyQueue
        let partitions = settings.partitions
        try await upstream.withConnection { connection in
            for names in used {
                let topology = Topology(names: names, partitions: partitions)
                for queue in topology.queues { try await connection.deleteQueue(queue.name) }
                for exchange in topology.exchanges { try await connection.deleteExchange(exchange.name) }
            }
            try await connection.deleteQueue(replies)
        }
    }
}

// Each test has servers, queues and processes of its own, so any two could run side by side; four lanes, each one test at a
// time, keep two cores busy without drowning them.

/// What is over in seconds.
@Suite(.serialized) enum CommandLane {}

/// What waits for leases and the retry tiers most of its time.
@Suite(.serialized) enum FaultLane {}

/// What waits minutes for something that is unavailable to come back.
@Suite(.serialized) enum OutageLane {}

/// What needs servers that it may restart, or much traffic.
@Suite(.serialized) enum RestartLane {}

/// How large a test is made. A usual run has small sizes; a variable of the environment multiplies them.
enum TestScale {
    /// `FAILOVER_TEST_SCALE`: 10 for ten times as many commands.
    static let failover = factor("FAILOVER_TEST_SCALE")
    /// `ORDERING_TEST_SCALE`.
    static let ordering = factor("ORDERING_TEST_SCALE")
    /// `CLUSTER_TEST_SCALE`: how many nodes of a cluster are killed and frozen, one after the other.
    static let cluster = factor("CLUSTER_TEST_SCALE")
    /// `BANK_FAULT_TEST_SCALE`.
    static let bankFaults = factor("BANK_FAULT_TEST_SCALE")

    private static func factor(_ name: String) -> Int {
        ProcessInfo.processInfo.environment[name].flatMap { Int($0) }.map { max($0, 1) } ?? 1
    }
}
