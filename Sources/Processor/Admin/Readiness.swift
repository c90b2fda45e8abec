import Core
import Program
import Synchronization

/// Whether commands can be worked on: what those who hold the connections report, and what has been achieved lately.
///
/// A connection that is open proves nothing: a server may be stopped, without a majority, or out of memory. So each `Part` has
/// to be seen working every now and then, once somebody has promised that it will be.
final class Readiness: Sendable {
    /// Of a connection.
    enum Link: String, Sendable, CaseIterable {
        /// Not connected yet.
        case connecting
        case ok
        /// Was connected, and is trying to be again.
        case lost
        /// Connected, and of no use.
        case stalled
    }

    /// Something that has to work, and is tried all the time.
    enum Part: String, Sendable, CaseIterable {
        /// A statement on the connection that commands are claimed on.
        case statements = "statements at the database"
        /// A message to a quorum queue, confirmed.
        case publishing = "publishing to the broker"
        /// A message through a queue of our own and back.
        case consuming = "consuming from the broker"

        var isOfDatabase: Bool { self == .statements }

        /// What has not been seen working for so long does not.
        var limit: Duration {
            switch self {
            // Asked twice a second; one that hangs is given up after three seconds.
            case .statements: .milliseconds(2_500)
            case .publishing, .consuming: .seconds(5)
            }
        }
    }

    /// Who shares the command queues.
    struct Members: Hashable, Sendable {
        let count: Int
        /// The partitions that are this one's.
        let owned: [Int]
    }

    struct State: Hashable, Sendable {
        var broker = Link.connecting
        var database = Link.connecting
        var bank = BreakerCondition.closed
        /// What does not work, in words: a line each.
        var problems: [String] = []
        /// Whether no command can be taken or answered because of what cannot be used at the broker.
        var areStopped = false

        /// `nil` while that is not known.
        var members: Members?

        /// In the default reply queue; `nil` while that is not known.
        var replies: Int?

        /// The bank does not count: while it is down, commands wait in their queues.
        var isReady: Bool { broker == .ok && database == .ok && !areStopped }

        var json: JSONValue {
            var json: [String: JSONValue] = [
                "bank": .string(bank.rawValue),
                "broker": .string(broker.rawValue),
                "database": .string(database.rawValue),
                "ready": .bool(isReady),
                "version": .string(ProductVersion.current),
            ]
            if let members {
                json["members"] = .integer(members.count)
                json["partitions"] = .array(members.owned.map { .integer($0) })
            }
            if let replies { json["replies"] = .integer(replies) }
            if !problems.isEmpty { json["problems"] = .array(problems.map(JSONValue.string)) }
            return .object(json)
        }
    }

    private struct Proof {
        var lastSeen: ContinuousClock.Instant
        /// Why it did not work since.
        var cause: String?
    }

    private struct Facts {
        var state = State()
        var proofs: [Part: Proof] = [:]
        var refusals: [StoreWork: Refusals] = [:]
        /// Whether the commands were given back, and none are taken.
        var isGivenBack = false
        /// Why the broker takes no messages, in its words.
        var blocked: String?
    }

    private let facts = Mutex(Facts())
    private let now: @Sendable () -> ContinuousClock.Instant

    init(now: @escaping @Sendable () -> ContinuousClock.Instant = { .now }) {
        self.now = now
    }

    var current: State {
        let now = now()
        return facts.withLock { facts in
            var state = facts.state
            for part in Part.allCases {
                guard let proof = facts.proofs[part] else { continue }
                let silence = now - proof.lastSeen
                guard silence > part.limit else { continue }
                let seconds = silence.components.seconds
                let cause = proof.cause.map { ": \($0)" } ?? ""
                state.problems.append("\(part.rawValue) has not worked for \(seconds) s\(cause)")
                if part.isOfDatabase, state.database == .ok { state.database = .stalled }
                if !part.isOfDatabase, state.broker == .ok { state.broker = .stalled }
            }
            for work in StoreWork.allCases {
                guard let problem = facts.refusals[work]?.problem(at: now) else { continue }
                state.problems.append(problem)
                if state.database == .ok { state.database = .stalled }
            }
            if facts.isGivenBack {
                state.problems.append("no commands are taken: the database does not take what is written about them")
                if state.database == .ok { state.database = .stalled }
            }
            if let blocked = facts.blocked {
                state.problems.append("the broker takes no messages: \(blocked)")
                if state.broker == .ok { state.broker = .stalled }
            }
            return state
        }
    }

    func setBroker(_ link: Link) { facts.withLock { $0.state.broker = link } }

    func setDatabase(_ link: Link) {
        facts.withLock { facts in
            facts.state.database = link
            // Whether another server refuses the same has to be seen.
            facts.refusals = [:]
        }
    }

    /// The database has done, or refused, the work that commands are for.
    func database(_ report: StoreReport) {
        let now = now()
        facts.withLock { facts in
            switch report {
            case .done(let work): facts.refusals[work] = nil
            case .failed(let work, let commands, let error):
                facts.refusals[work, default: Refusals()].note(error, of: commands, at: now)
            }
        }
    }

    func setBank(_ breaker: BreakerCondition) { facts.withLock { $0.state.bank = breaker } }

    /// Whether the database is unavailable for commands, so that none are taken.
    func setGivenBack(_ isGivenBack: Bool) { facts.withLock { $0.isGivenBack = isGivenBack } }

    /// How many processors share the command queues, and which partitions are this one's.
    func setMembers(_ members: Members) { facts.withLock { $0.state.members = members } }

    /// How many wait in the default reply queue.
    func setReplies(_ count: Int?) { facts.withLock { $0.state.replies = count } }

    /// The broker's alarm, as it tells those who publish; nil when it is over or the connection is.
    func setBlocked(_ reason: String?) { facts.withLock { $0.blocked = reason } }

    /// It works, or is about to be tried for the first time.
    func saw(_ part: Part) {
        let now = now()
        facts.withLock { $0.proofs[part] = Proof(lastSeen: now) }
    }

    /// Nobody can try it, so nothing is known of it.
    func forget(_ part: Part) {
        facts.withLock { $0.proofs[part] = nil }
    }

    /// It was tried in vain.
    func failed(_ part: Part, _ cause: String) {
        facts.withLock { $0.proofs[part]?.cause = cause }
    }

    /// What cannot be used at the broker, each in words.
    func setTroubles(_ troubles: [String], stopsCommands: Bool) {
        facts.withLock { facts in
            facts.state.problems = troubles
            facts.state.areStopped = stopsCommands
        }
    }
}

extension Readiness {
    /// One kind of work that a database refuses although it answers: a lock that is held, a table that is missing, a trigger that raises.
    ///
    /// One command may be refused for what it is, and is tried again. Where nothing but refusals of several commands has been seen
    /// for some time, it is the database.
    struct Refusals {
        /// So many commands,
        private static let least = 3
        /// over so long, mean that no command can be worked on.
        private static let patience = Duration.seconds(5)
        /// What was refused is tried again sooner than this: without another refusal, nothing is known any more.
        private static let memory = Duration.seconds(60)

        /// At most `least` of them.
        private var commands: Set<StoredCommand> = []
        private var first: ContinuousClock.Instant?
        private var last: ContinuousClock.Instant?
        private var cause = ""

        /// - Parameter error: one of a database that does not answer says nothing about what it refuses.
        mutating func note(_ error: StoreError, of refused: Set<StoredCommand>, at now: ContinuousClock.Instant) {
            guard error.isAnswered else { return }
            if let last, now - last > Self.memory { self = Refusals() }
            for command in refused where commands.count < Self.least { commands.insert(command) }
            first = first ?? now
            last = now
            cause = error.detail
        }

        func problem(at now: ContinuousClock.Instant) -> String? {
            guard let first, let last, commands.count >= Self.least,
                now - first > Self.patience, now - last <= Self.memory
            else {
                return nil
            }
            return "the database has refused for \((now - first).components.seconds) s: \(cause)"
        }
    }
}
