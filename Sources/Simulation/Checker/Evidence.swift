import Core

/// What can be seen of a world from outside, when all is done: what was sent and confirmed, what came back, what the bank
/// did, and the rows. Nothing here is the processor's own word.
struct Evidence: Sendable {
    let sent: [Intent]
    let confirmed: Set<String>
    let replies: [SeenReply]
    /// Correlation ids of replies that no queue took.
    let returned: Set<String>
    /// Message ids and keys of the dead letters that wait for an operator, or that one has discarded.
    let openDeadLetterList: Set<String>
    let openDeadLetterKeys: Set<String>
    /// The keys of commands that were answered with a rejection that is not stored.
    let rejectedKeys: Set<String>
    let ledger: [BankLedgerEntry]
    let overlaps: Int
    let rows: StoreRows
    let forgotten: ForgottenRows
    /// Bank keys whose effect the bank itself has forgotten.
    let lostKeys: Set<String>
    /// Bank keys of answers that no process was there to hear.
    let unheardKeys: Set<String>
    /// Bank keys under which two requests were under way at once.
    let overlappedKeys: Set<String>
    /// Whether every command was sent once more after the faults.
    let isAskedAgain: Bool
    let order: [OrderWitness.Overtaking]
    let rushes: [String]
    /// Partitions that somebody else reads than whose they are.
    let strangers: [String]
    let earlyCuts: Int
    let backlog: Int
    let hasDrained: Bool
    /// Whether the sweeps have had all the time that they need.
    let hasSwept: Bool
    /// Replies that no queue took.
    let returnedReplies: Set<ReplyTrack>
    let events: [Message]
    /// The runs of sweeps that came to their end.
    let finishedRuns: [SweepRunID]
    let expiries: [SweepWitness.Expiry]
    /// By authorization, on the bank's clock.
    let bankExpiries: [String: Timestamp]
    let defaultQueue: String

    init(_ world: SimulationWorld, hasDrained: Bool, hasSwept: Bool, isAskedAgain: Bool) {
        let log = world.broker.log
        sent = world.upstream.sent
        confirmed = world.upstream.confirmed
        replies = log.replies.map { SeenReply($0.message, in: $0.queue) }
        returned = Set(log.returned.compactMap(\.message.correlationID?.description))
        let deadLetters = world.store.rows.deadLetters.filter { $0.state != .replayed }
        openDeadLetterList = Set(deadLetters.compactMap(\.content.message.correlationID?.description))
        openDeadLetterKeys = Set(deadLetters.compactMap(\.command.idempotencyKey?.description))
        rejectedKeys = Set(
            replies.filter { $0.outcome == "rejected" && !$0.isStored }
                .compactMap { $0.message.headers[HeaderName.idempotencyKey]?.string }
        )
        ledger = world.bank.ledger
        overlaps = world.faults.mayOverlapAtBank ? 0 : world.bank.overlaps
        rows = world.store.rows
        forgotten = world.store.forgotten
        lostKeys = world.bank.lostKeys
        unheardKeys = world.bank.unheardKeys
        overlappedKeys = world.bank.overlappedKeys
        self.isAskedAgain = isAskedAgain
        order = world.orderWitness.overtakings
        rushes = world.newcomers.rushes
        strangers =
            hasDrained
            ? world.sharing.strangers(
                among: world.store.currentMembers,
                partitions: SimulationWorld.partitions,
                names: world.broker.names
            ) : []
        earlyCuts = world.bank.earlyCuts
        backlog = world.broker.backlog
        self.hasDrained = hasDrained
        self.hasSwept = hasSwept
        returnedReplies = Set(log.returned.map { ReplyTrack(queue: $0.routingKey, $0.message) })
        events = log.events
        finishedRuns = world.witness.finished
        expiries = world.witness.expiries
        bankExpiries = expiries.reduce(into: [:]) { instants, expiry in
            guard let id = expiry.authorizationID else { return }
            instants[id] = world.bank.expiry(of: id)
        }
        defaultQueue = world.broker.names.repliesQueue
    }
}

/// Where a message was seen, and which.
struct ReplyTrack: Hashable, Sendable {
    let queue: String
    let id: String
    let correlationID: String
    let body: [UInt8]

    init(queue: String, _ message: Message) {
        self.queue = queue
        id = message.messageID ?? ""
        correlationID = message.correlationID?.description ?? ""
        body = message.body
    }
}

/// A reply, as its reader sees it.
struct SeenReply: Sendable {
    let message: Message
    let queue: String
    let outcome: String
    let code: String?
    let isFinal: Bool

    init(_ message: Message, in queue: String) {
        self.message = message
        self.queue = queue
        let body = (try? JSONParser.parse(message.body)) ?? .null
        outcome = body["outcome"]?.string ?? ""
        code = body["error"]?["code"]?.string
        isFinal = body["final"] == .bool(true)
    }

    var correlationID: String { message.correlationID?.description ?? "" }
    var isFirst: Bool { message.headers[HeaderName.idempotentReplayed] == .bool(false) }

    /// Its outcome is kept under the key (docs/contract.md#codes).
    var isStored: Bool {
        switch outcome {
        case "succeeded", "declined": true
        case "rejected": ["payment_exists", "invalid_transition", "amount_mismatch"].contains(code)
        default: false
        }
    }
}
