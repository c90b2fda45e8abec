package import Core
import Testing

extension DeadLetterService {
    /// As a row, run in this process.
    package func replay(
        _ ids: [DeadLetterID],
        by actor: String,
        pace: ReplayPace = ReplayPace()
    ) async throws -> DeadLetterReport {
        let run = try await order(ids, ReplayOrder(requestedBy: actor, pace: pace))
        _ = try await runHere(run.id)
        return DeadLetterReport(try #require(try await replays.replayView(run.id)))
    }
}
