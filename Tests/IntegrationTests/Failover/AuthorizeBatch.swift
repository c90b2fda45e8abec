import Core
import TestSupport
import Testing

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
