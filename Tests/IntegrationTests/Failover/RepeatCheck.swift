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
