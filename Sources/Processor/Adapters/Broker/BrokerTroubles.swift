import Core
import Logging
import Synchronization

/// What is wrong at the broker, as those find it who publish, consume and check: told in one line when it begins and when it is over,
/// and by `/readyz` as long as it lasts.
final class BrokerTroubles: Sendable {
    private struct Entry {
        let problem: BrokerTrouble.Problem
        var seenAt: ContinuousClock.Instant
    }

    private let names: BrokerNames
    private let commandQueues: Set<String>
    private let readiness: Readiness
    private let logger: Logger
    private let entries = Mutex<[BrokerTrouble.Object: Entry]>([:])
    /// Whether there is nothing: all that is asked on the way of each message.
    private let isEmpty = Atomic(true)

    /// What nobody has found again for so long is reported no more: nothing has tried it since.
    private static let memory = Duration.seconds(60)

    init(names: BrokerNames, partitions: Int, readiness: Readiness, logger: Logger) {
        self.names = names
        commandQueues = Set((0..<partitions).map(names.commandsQueue))
        self.readiness = readiness
        self.logger = logger
    }

    func isMissing(_ object: BrokerTrouble.Object) -> Bool {
        !isEmpty.load(ordering: .relaxed) && entries.withLock { $0[object]?.problem == .missing }
    }

    func note(_ object: BrokerTrouble.Object, _ problem: BrokerTrouble.Problem) {
        note([BrokerTrouble(object: object, problem: problem)])
    }

    /// Those that are new are reported in one line.
    func note(_ troubles: [BrokerTrouble]) {
        let now = ContinuousClock.now
        let fresh = entries.withLock { entries in
            let fresh = troubles.filter { entries[$0.object]?.problem != $0.problem }
            for trouble in troubles { entries[trouble.object] = Entry(problem: trouble.problem, seenAt: now) }
            return fresh
        }
        guard !fresh.isEmpty else { return }
        let text = fresh.map(\.description).sorted().joined(separator: ", ")
        logger.warning("something at the broker cannot be used", metadata: ["problem": "\(text)"])
        publish()
    }

    /// They work.
    ///
    /// - Parameter problem: only where they had this one.
    func clear(_ objects: some Collection<BrokerTrouble.Object>, of problem: BrokerTrouble.Problem? = nil) {
        guard !isEmpty.load(ordering: .relaxed) else { return }
        let gone = entries.withLock { entries in
            objects.filter { object in
                guard let entry = entries[object], problem == nil || entry.problem == problem else { return false }
                entries[object] = nil
                return true
            }
        }
        guard !gone.isEmpty else { return }
        let text = gone.map(\.description).sorted().joined(separator: ", ")
        logger.info("can be used again", metadata: ["object": "\(text)"])
        publish()
    }

    /// Forgets what was found by use, and that nobody has tried since.
    func forgetOld() {
        let limit = ContinuousClock.now - Self.memory
        let old = entries.withLock { entries in entries.filter { $0.value.seenAt < limit }.map(\.key) }
        clear(old)
    }

    private func publish() {
        let current = entries.withLock { entries in
            isEmpty.store(entries.isEmpty, ordering: .relaxed)
            return entries.map { BrokerTrouble(object: $0.key, problem: $0.value.problem) }
        }
        let missing = current.count { trouble in
            if case .queue(let name) = trouble.object { commandQueues.contains(name) } else { false }
        }
        readiness.setTroubles(
            current.map(\.description).sorted(),
            stopsCommands: missing == commandQueues.count || current.contains(where: stopsCommands)
        )
    }

    /// Without these no command can be taken or answered.
    private func stopsCommands(_ trouble: BrokerTrouble) -> Bool {
        switch trouble.object {
        case .exchange(names.commandsExchange), .exchange(""): true
        // Whoever names no queue of its own waits in vain.
        case .route("", names.repliesQueue): trouble.problem == .silent
        case .exchange, .queue, .route, .binding, .policy: false
        }
    }
}

/// Something at the broker that the processor needs and cannot use.
struct BrokerTrouble: Hashable, Sendable, CustomStringConvertible {
    enum Object: Hashable, Sendable, CustomStringConvertible {
        case exchange(String)
        case queue(String)
        /// What an exchange does with a routing key.
        case route(exchange: String, key: String)
        case binding(queue: String, exchange: String)
        case policy(queue: String)

        var isQueue: Bool {
            if case .queue = self { true } else { false }
        }

        var description: String {
            switch self {
            case .exchange(""): "the default exchange"
            case .exchange(let name): "exchange \(name)"
            case .queue(let name): "queue \(name)"
            case .route("", let key): "queue \(key)"
            case .binding(let queue, let exchange): "binding of \(queue) to \(exchange)"
            case .policy(let queue): "the policy of queue \(queue)"
            case .route(let exchange, let key): "binding of exchange \(exchange) for '\(key)'"
            }
        }
    }

    enum Problem: Hashable, Sendable, CustomStringConvertible {
        case missing
        case forbidden
        /// What is published there is not confirmed: a queue behind it has no majority of its nodes, or stands still.
        case silent
        /// In the words of the broker.
        case other(String)

        var description: String {
            switch self {
            case .missing: "is missing"
            case .forbidden: "may not be used by the broker's user"
            case .silent: "confirms nothing"
            case .other(let words): words
            }
        }
    }

    let object: Object
    let problem: Problem

    var description: String { "\(object) \(problem)" }
}
