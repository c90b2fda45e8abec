import Core
import TestSupport
import Testing

// Not audited: that the ledgers differ is what these are about.
@Suite("Holds that the bank forgot", .timeLimit(.minutes(10)))
struct OrphanTests {
    private static let settings = World.Settings(processor: World.shortLease, deadLetters: nil, isAudited: false)

    @Test(
        "a hold whose key the bank lost is recorded as a possible orphan, and the second one is the payment's"
    )
    func lostKey() async throws {
        try await World.run(Self.settings) { world in
            let processor = try await world.startProcessor()
            try await world.bank.fault("lose-key", on: .authorize)
            try await world.bank.fault("drop-after", on: .authorize)
            let command = TestCommand.authorize()
            let reply = try await world.ask(command)
            #expect(reply.result == "succeeded")
            let ledger = try await world.bank.ledger()
            #expect(ledger.map(\.operation) == ["authorize", "authorize"])
            #expect(Set(ledger.map(\.bankKey)).count == 1)
            let known = reply.json["payment"]?["bank"]?["authorization_id"]?.string
            #expect(known == ledger.last?.bankID)
            let causes = try await world.database.rows("SELECT cause FROM payment_history ORDER BY version")
            #expect(causes.last?["cause"]?.string?.contains("orphan") == true)
            let web = try await processor.admin()
            #expect(try await web.text("/metrics").contains("payments_possible_orphans_total 1"))
            await web.shutdown()
            try await processor.logged("may have left a second hold", "level=warning")
        }
    }

    @Test(
        "a decline after an unanswered authorize is final; the hold that it may be due to is recorded",
        arguments: [(TestCard.empty, "insufficient_funds", 1), (.expired, "card_expired", 0)]
    )
    func declineAfterAmbiguous(card: TestCard, code: String, orphans: Int) async throws {
        try await World.run(Self.settings) { world in
            _ = try await world.startProcessor()
            try await world.bank.fault("drop-before", on: .authorize)
            let reply = try await world.ask(.authorize(card: card))
            #expect(reply.result == "declined \(code)")
            #expect(reply.isFinal)
            #expect(reply.paymentStatus == "FAILED")
            let states = try await world.database.rows("SELECT state FROM operations")
            #expect(states.map { $0["state"]?.string } == ["DECLINED"])
            let grades = try await world.database.rows("SELECT grade FROM possible_orphans")
            #expect(grades.map { $0["grade"]?.string } == Array(repeating: "suspected", count: orphans))
            #expect(try await world.bank.ledger().isEmpty)
        }
    }
}

// In no lane: some of it waits on a retry tier.
@Suite("Alarms about second holds", .timeLimit(.minutes(10)))
struct AlarmTests {
    @Test(
        "a bank that now and then answers with a complete error before it executes anything raises no alarm"
    )
    func calm() async throws {
        // The bank's usual rate of errors, twice over.
        let settings = World.Settings(bank: ["FAILURE_RATE": "0.1"], processor: World.shortLease)
        try await World.run(settings) { world in
            try await world.startProcessor()
            let commands = (0..<150 * TestScale.bankFaults).map { _ in TestCommand.authorize() }
            for start in stride(from: 0, to: commands.count, by: 10) {
                let some = Array(commands[start..<start + 10])
                try await world.send(some)
                _ = try await world.upstream.finalReplies(to: some)
            }
            let failed = try await world.bank.requests().count { $0.status == 500 }
            try #require(failed > 0)
            #expect(try await world.metric("payments_possible_orphans_total") == 0)
        }
    }

    /// Kills hang up on nobody, because of the connection keeper, which also sees what the bank answers after the kill.
    @Test("kills raise few alarms, and miss no second hold")
    func kills() async throws {
        let mood = ["FAILURE_RATE": "0.05", "MIN_LATENCY_MS": "100", "MAX_LATENCY_MS": "2000"]
        try await World.run(World.Settings(bank: mood, processor: World.shortLease, isAudited: false)) { world in
            var processors = [try await world.startProcessor(), try await world.startProcessor()]
            let commands = (0..<300 * TestScale.bankFaults).map { _ in TestCommand.authorize() }
            let stream = Task {
                for command in commands {
                    try await world.send(command)
                    // What makes it traffic instead of a burst.
                    try await Task.sleep(for: .milliseconds(40))
                }
            }
            for _ in 0..<2 * TestScale.bankFaults {
                try await Task.sleep(for: .milliseconds(.random(in: 3_000...5_000)))
                // The one that has subscribed first has all queues.
                try await processors.removeFirst().child.crash()
                processors.append(try world.spawnProcessor())
            }
            try await stream.value
            try await world.expect(commands, endAs: "succeeded", within: .seconds(300))

            let holds = Dictionary(grouping: try await world.bank.ledger(), by: \.bankKey)
            let rows = try await world.database.rows(
                "SELECT o.bank_key FROM possible_orphans p JOIN operations o ON o.id = p.operation_id WHERE grade = 'suspected'"
            )
            let alarms = Set(rows.compactMap { $0["bank_key"]?.string })
            #expect(alarms.isSuperset(of: holds.filter { $0.value.count > 1 }.keys))
            // One in 180 of many; of few, chance has its part. Without the keeper it is one in five.
            #expect(alarms.count <= max(8, commands.count / 180))
        }
    }
}
