import Core
import Glibc
import Program

/// Has a replay done, and waits for it: by a running processor, or in this process where none takes it up.
struct ReplayWatch: Sendable {
    let desk: DeadLetterDesk
    let time: any TimeSource

    /// How long a processor has for taking it up: it looks every second.
    private static let patience = Duration.seconds(3)
    /// Between two looks.
    private static let pause = Duration.milliseconds(250)

    /// - Parameter connect: makes ready for publishing from this process, and keeps it so until its task is cancelled.
    func run(
        _ ids: [DeadLetterID],
        _ order: ReplayOrder,
        connect: () async throws -> Task<Void, Never>
    ) async throws -> DeadLetterReport {
        let run = try await desk.order(ids, order)
        if try await !isTakenUp(run.id) { try await runHere(run.id, connect) }
        return DeadLetterReport(try await ended(run.id))
    }

    private func isTakenUp(_ id: ReplayID) async throws -> Bool {
        let limit = time.uptime() + Self.patience
        while time.uptime() < limit {
            guard let run = try await desk.replays.replay(id) else { throw Self.gone(id) }
            if run.fence > 0 || run.state != .running {
                StandardStream.error.print(
                    "replay \(id) runs in the background of a processor, also without this command; "
                        + "`processor dead-letters replays show \(id)` shows it, `replays stop \(id)` stops it"
                )
                return true
            }
            try await time.sleep(for: Self.pause)
        }
        return false
    }

    private func runHere(_ id: ReplayID, _ connect: () async throws -> Task<Void, Never>) async throws {
        let session: Task<Void, Never>
        do {
            session = try await connect()
        } catch {
            // Unless a processor has taken it up by now.
            guard try await desk.replays.withdrawReplay(id, reason: "no processor, and no broker: \(error)") else {
                return
            }
            throw error
        }
        _ = try await desk.runHere(id) { DeadLetterOutcome.show(progress: $0) }
        session.cancel()
        await session.value
    }

    private func ended(_ id: ReplayID) async throws -> ReplayView {
        while let run = try await desk.replays.replay(id) {
            if run.state != .running {
                guard let view = try await desk.replays.replayView(id) else { break }
                return view
            }
            DeadLetterOutcome.show(progress: DeadLetterReport(run.counts))
            try await time.sleep(for: Self.pause)
        }
        throw Self.gone(id)
    }

    private static func gone(_ id: ReplayID) -> CommandFailure {
        CommandFailure(.differences, "there is no replay \(id) any more")
    }
}
