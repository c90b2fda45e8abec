import Core
import TestSupport
import Testing

/// The client repeats its commands after its server's database has forgotten some of them, and compares what it is told now
/// with what it was told before (docs/correctness.md#forgetting-is-safe).
struct RepeatCheck {
    let world: World
    /// What the database still knew when it was back.
    let remembered: StoredReplies
    /// Commands that were answered, and of which it knew nothing any more.
    let forgotten: [TestCommand]

    func run(_ commands: [TestCommand]) async throws {
        let known = try await StoredReplies(world)
        let repeats = commands.map(\.duplicate)
        try await world.send(repeats)
        try await world.expect(repeats, endAs: "succeeded")

        var (otherBytes, otherEffects) = (0, 0)
        for (command, again) in zip(commands, repeats) {
            guard let reply = world.upstream.replies(to: again.correlation).first(where: \.isFinal) else { continue }
            if let stored = known.replies[command.key], stored != reply.body { otherBytes += 1 }
            guard let first = world.upstream.replies(to: command.correlation).first(where: \.isFinal) else { continue }
            if remembered.replies[command.key] != nil, first.body != reply.body { otherBytes += 1 }
            if first.json["payment"]?["bank"]?["authorization_id"]
                != reply.json["payment"]?["bank"]?["authorization_id"]
                || first.json["payment"]?["bank"]?["capture_id"] != reply.json["payment"]?["bank"]?["capture_id"]
            {
                otherEffects += 1
            }
        }
        #expect(otherBytes == 0, "replies that the database knows and that were reported with other bytes")
        #expect(otherEffects == 0, "commands that were told another effect at the bank than before")
        let counted = try await world.metric("payments_store_regressions_total")
        // What is sent again after a request without an answer is a replay too, which proves nothing about the store.
        let unanswered = try await world.metric("payments_bank_calls_total", with: #"verdict="ambiguous""#)
        #expect(counted + unanswered >= forgotten.count, "what the store had forgotten is counted")
        #expect(counted > 0 || forgotten.isEmpty)
    }
}

/// Authorizes of a client that repeats all of them when its server has failed over. Each has an amount of its own, which the
/// bank's ledger shows: so it tells which command a hold belongs to, whatever key the hold was asked for with.
struct AuthorizeBatch: Sendable {
    let commands: [TestCommand]

    /// Its first half and its second.
    var halves: (AuthorizeBatch, AuthorizeBatch) {
        let middle = commands.count / 2
        return (
            AuthorizeBatch(commands: Array(commands[..<middle])), AuthorizeBatch(commands: Array(commands[middle...]))
        )
    }

    /// - Parameter first: the least amount.
    init(count: Int, amountsFrom first: Int = 10_000) {
        commands = (0..<count).map { TestCommand.authorize(amount: first + $0) }
    }

    private init(commands: [TestCommand]) { self.commands = commands }

    /// Those with a final reply by now.
    func answered(in world: World) -> [TestCommand] {
        commands.filter { world.upstream.replies(to: $0.correlation).contains(where: \.isFinal) }
    }

    /// Publishes them all, with at most so many unanswered at a time.
    func publish(to world: World, window: Int = 64) async throws {
        let before = world.upstream.replyCount
        for start in stride(from: 0, to: commands.count, by: 8) {
            try await eventually("there was room for the next commands", within: .seconds(300)) {
                start - (world.upstream.replyCount - before) < window
            }
            try await world.send(Array(commands[start..<min(start + 8, commands.count)]))
        }
    }

    /// Commands that have more than one hold at the bank, and those that have none.
    func wrongHolds(in world: World) async throws -> (twice: Int, never: Int) {
        let holds = try await world.bank.ledger().filter { $0.operation == OperationKind.authorize.rawValue }
        let byAmount = Dictionary(grouping: holds, by: \.amount).mapValues(\.count)
        let counts = commands.map { byAmount[$0.amount] ?? 0 }
        return (counts.count { $0 > 1 }, counts.count { $0 == 0 })
    }
}

extension TestCommand {
    /// The amount of an authorize.
    fileprivate var amount: Int64 {
        (try? JSONParser.parse(Array(body.utf8)))?["amount"]?.integer ?? 0
    }
}

extension World.Settings {
    /// For many authorizes on one card, and sweeps that come by soon.
    static func failover(_ servers: TestServers) -> World.Settings {
        World.Settings(
            servers: servers,
            bank: ["MIN_LATENCY_MS": "20", "MAX_LATENCY_MS": "60", "CARD_BALANCE_CENTS": "100000000000"],
            processor: World.shortLease.merging(["SWEEPS_RECONCILE_PERIOD": "5s"]) { $1 }
        )
    }
}

/// What the database knows of the commands of a client at a moment.
struct StoredReplies: Sendable {
    /// The reply of each operation that is completed, by idempotency key.
    let replies: [String: String]
    /// The keys of all operations.
    let keys: Set<String>

    init(_ world: World) async throws {
        let rows = try await world.database.rows(
            "SELECT idempotency_key, convert_from(reply, 'UTF8') AS reply FROM operations"
        )
        let pairs = rows.map { ($0["idempotency_key"]?.string ?? "", $0["reply"]?.string) }
        keys = Set(pairs.map(\.0))
        replies = Dictionary(pairs.compactMap { key, reply in reply.map { (key, $0) } }) { first, _ in first }
    }

    /// Commands of which it has no row.
    func forgotten(among commands: [TestCommand]) -> [TestCommand] {
        commands.filter { !keys.contains($0.key) }
    }
}
