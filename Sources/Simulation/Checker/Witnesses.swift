import Core
import Synchronization

/// Watches that commands of one payment are decided in the order in which they arrived, at the moment of each decision
/// (docs/correctness.md#overtaking).
///
/// A command is overtaken when a later one of its payment is decided while it is still at the broker, undecided: on a retry tier, or in a
/// command queue, delivered or not.
package final class OrderWitness: Sendable {
    struct Overtaking: Sendable {
        let payment: PaymentID
        let text: String
    }

    private struct State {
        /// By payment and merchant, in the order of their first delivery.
        var arrivals: [String: [Command]] = [:]
        /// Messages that were rejected without a trace in the store, and so have lost their place. Where the reply cannot be sent they are
        /// decided anew, as newcomers.
        var rejected: Set<String> = []
        /// Messages that were answered with `payment_busy`, and have lost their place by that. A copy may still be under way.
        var withdrawn: Set<String> = []
        /// Commands whose place came back with a database that had lost its removal, by payment, merchant and key. They had been answered;
        /// asked once more, they are ahead of commands that arrived before them.
        var returned: Set<String> = []
        var overtakings: [Overtaking] = []
    }

    private let broker: SimulatedBroker
    private let store: InMemoryPaymentStore
    private let isWatching: Bool
    private let state = Mutex(State())

    /// - Parameters:
    ///   - isWatching: false where deliveries have no order that could be kept.
    init(broker: SimulatedBroker, store: InMemoryPaymentStore, isWatching: Bool) {
        self.broker = broker
        self.store = store
        self.isWatching = isWatching
    }

    var overtakings: [Overtaking] { state.withLock { $0.overtakings } }

    /// - Parameter message: has just been delivered, to whoever that was.
    func noteArrival(of message: Message) {
        guard case .command(let command) = CommandDecoder().decode(message) else { return }
        state.withLock { state in
            let line = state.arrivals[Self.place(of: command)] ?? []
            if line.contains(where: { $0.messageID == command.messageID }) { return }
            state.arrivals[Self.place(of: command), default: []].append(command)
        }
    }

    /// - Parameter command: has just been answered with a rejection that is not stored: nobody need wait for it.
    func noteRejection(of command: Command) {
        state.withLock { _ = $0.rejected.insert(command.messageID) }
    }

    /// - Parameter command: need not be waited for any more.
    func noteWithdrawal(of command: Command) {
        state.withLock { _ = $0.withdrawn.insert(command.messageID) }
    }

    /// - Parameters:
    ///   - before: the places of all commands before the database failed over.
    ///   - after: those after it.
    func noteFailover(_ before: [PaymentID: [WaitingCommand]], _ after: [PaymentID: [WaitingCommand]]) {
        state.withLock { state in
            for (payment, line) in after {
                for command in line where !(before[payment] ?? []).contains(command) {
                    state.returned.insert("\(payment) \(command.merchantID) \(command.idempotencyKey)")
                }
            }
        }
    }

    /// - Parameter command: has just been decided: an operation was opened for it.
    func noteDecision(about command: Command) {
        guard isWatching, !state.withLock({ $0.returned.contains(Self.key(of: command)) }) else { return }
        let line = state.withLock { state in
            let excused = state.rejected.union(state.withdrawn)
            return (state.arrivals[Self.place(of: command)] ?? []).filter { !excused.contains($0.messageID) }
        }
        let earlier = line.prefix { $0.idempotencyKey != command.idempotencyKey }
        guard earlier.count < line.count, !earlier.isEmpty else { return }
        let waiting = broker.undecidedMessages
        for other in earlier where waiting.contains(other.messageID) && mayOvertake(command, other) == false {
            // One that has an operation, or its answer, waits for something else.
            guard !store.knows(other) else { continue }
            let text =
                "\(command.kind) \(command.idempotencyKey) decided before \(other.kind) \(other.idempotencyKey), which waits"
            state.withLock { $0.overtakings.append(Overtaking(payment: command.paymentID, text: text)) }
        }
    }

    /// Nothing excuses this one: whatever the store knows, the authorize is there, and comes back.
    ///
    /// - Parameter command: is about to be told that there is no such payment.
    func noteMissingPayment(of command: Command) {
        guard isWatching else { return }
        let (line, rejected) = state.withLock { ($0.arrivals[Self.place(of: command)] ?? [], $0.rejected) }
        let waiting = broker.undecidedMessages
        for other in line.prefix(while: { $0.idempotencyKey != command.idempotencyKey })
        where other.kind == .authorize && waiting.contains(other.messageID) {
            guard !rejected.contains(other.messageID), !store.knows(other) else { continue }
            let text = "\(command.kind) \(command.idempotencyKey) has no payment, and its authorize waits"
            state.withLock { $0.overtakings.append(Overtaking(payment: command.paymentID, text: text)) }
        }
    }

    /// An authorize comes before all that wait for it; and nothing waits for a second authorize of a payment that is there.
    private func mayOvertake(_ command: Command, _ other: Command) -> Bool {
        command.kind == .authorize ? other.kind != .authorize : other.kind == .authorize
    }

    private static func place(of command: Command) -> String { "\(command.paymentID) \(command.merchantID)" }

    private static func key(of command: Command) -> String { "\(place(of: command)) \(command.idempotencyKey)" }
}

/// Watches which process gets on with which partition (docs/correctness.md#shared-queues).
package final class SharingWitness: Sendable {
    private struct State {
        /// By queue: who has read the last command that was acknowledged, and when it was read: it may have waited since.
        var last: [String: (process: Int, at: Duration)] = [:]
        var lastChange = Duration.zero
    }

    private let time: VirtualTime
    private let state = Mutex(State())

    /// Since the last change for so long, every command goes to the owner of its partition: a member is missed, the others hear of it, who
    /// has kept a partition that nobody took tries again.
    static let settling = Member.timeout * 3

    init(time: VirtualTime) {
        self.time = time
    }

    /// A process has come or gone or has subscribed anew, a clock was set, or there were faults up to now.
    func noteChange() {
        let now = time.uptime()
        state.withLock { $0.lastChange = now }
    }

    var now: Duration { time.uptime() }

    func noteAcknowledgement(_ queue: String, by process: Int, readAt: Duration) {
        state.withLock { state in
            if let last = state.last[queue], last.at > readAt { return }
            state.last[queue] = (process, readAt)
        }
    }

    /// - Parameter members: all that are there.
    /// - Returns: which partitions somebody else has got on with last, in words.
    func strangers(among members: [Member], partitions: Int, names: BrokerNames) -> [String] {
        let shares = PartitionShares(members: members.map(\.id), partitions: partitions)
        let state = state.withLock { $0 }
        return (0..<partitions).compactMap { partition in
            guard let last = state.last[names.commandsQueue(partition)], last.at > state.lastChange + Self.settling,
                let owner = shares.owner(of: partition), owner != SimulatedProcess.member(last.process)
            else { return nil }
            return "partition \(partition) is \(owner)'s, and process \(last.process) reads it"
        }
    }
}

/// Watches that a processor that starts while the bank is unavailable sends nothing but one command at a time
/// (docs/correctness.md#starting-in-an-outage).
package final class NewcomerWitness: Sendable {
    private struct State {
        var isDown = false
        /// Since when each process that started during the outage has been there, and how many commands it has sent.
        var newcomers: [Int: (since: Duration, sends: Int)] = [:]
        var rushes: [String] = []
    }

    private let time: VirtualTime
    private let state = Mutex(State())

    /// Between two tries of a breaker that begins open, at the least.
    private static let pause = Duration.seconds(2)

    init(time: VirtualTime) {
        self.time = time
    }

    var rushes: [String] { state.withLock { $0.rushes } }

    func setDown(_ isDown: Bool) {
        state.withLock { state in
            state.isDown = isDown
            state.newcomers = [:]
        }
    }

    func noteStart(of process: Int) {
        let now = time.uptime()
        state.withLock { state in
            if state.isDown { state.newcomers[process] = (now, 0) }
        }
    }

    func noteSend(by process: Int) {
        let now = time.uptime()
        state.withLock { state in
            guard var newcomer = state.newcomers[process] else { return }
            newcomer.sends += 1
            state.newcomers[process] = newcomer
            let allowed = 1 + Int((now - newcomer.since) / Self.pause)
            guard newcomer.sends > allowed else { return }
            state.newcomers[process] = nil
            state.rushes.append("process \(process) sent \(newcomer.sends) to a bank that was unavailable at its start")
        }
    }
}

/// What sweeps have brought about, noted where it is written: behind everything that may be put before the ports of a process.
final class SweepWitness: Sendable {
    struct Expiry: Sendable {
        let paymentID: PaymentID
        let authorizationID: String?
        /// The latest time that the bank's clock had ever shown when it was written.
        let bankTime: Timestamp
        let grace: Duration
    }

    private struct State {
        var finished: [SweepRunID] = []
        var expiries: [Expiry] = []
    }

    /// `sweeps.expire.grace` of the seed.
    let grace: Duration
    private let bankClock: JumpingTime
    private let state = Mutex(State())

    init(bankClock: JumpingTime, grace: Duration) {
        self.grace = grace
        self.bankClock = bankClock
    }

    var finished: [SweepRunID] { state.withLock { $0.finished } }
    var expiries: [Expiry] { state.withLock { $0.expiries } }

    func noteFinish(of run: SweepRunID) {
        state.withLock { $0.finished.append(run) }
    }

    func noteExpiry(of payment: PaymentID, _ authorizationID: String?, grace: Duration) {
        let expiry = Expiry(
            paymentID: payment,
            authorizationID: authorizationID,
            bankTime: bankClock.furthest,
            grace: grace
        )
        state.withLock { $0.expiries.append(expiry) }
    }
}
