import Core
import Glibc
import Program

/// Has a replay done, and waits for it: by a running processor, or in this process where none takes it up.
struct ReplayWatch: Sendable {
    let service: DeadLetterService
    let time: any TimeSource

    /// How long a processor has for taking it up: it checks every second.
    private static let patience = Duration.seconds(3)
    /// Between two checks.
    private static let pause = Duration.milliseconds(250)

    /// - Parameter connect: makes ready for publishing from this process, and keeps it so until its task is cancelled.
    func run(
        _ ids: [DeadLetterID],
        _ order: ReplayOrder,
        connect: () async throws -> Task<Void, Never>
    ) async throws -> DeadLetterReport {
        let id = try await service.order(ids, order).id
        if try await isTakenUp(id) { return DeadLetterReport(try await ended(id, isRunHere: false)) }
        guard let session = try await ready(id, connect) else {
            return DeadLetterReport(try await ended(id, isRunHere: false))
        }
        let result: Result<ReplayView, any Error>
        do {
            result = .success(try await ended(id, isRunHere: true))
        } catch {
            result = .failure(error)
        }
        session.cancel()
        await session.value
        return DeadLetterReport(try result.get())
    }

    private func isTakenUp(_ id: ReplayID) async throws -> Bool {
        let limit = time.uptime() + Self.patience
        while time.uptime() < limit {
            guard let run = try await service.replays.replay(id) else { throw Self.gone(id) }
            if run.fencingToken > 0 || run.state != .running {
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

    /// - Returns: `nil` where a processor has taken it up by now.
    private func ready(
        _ id: ReplayID,
        _ connect: () async throws -> Task<Void, Never>
    ) async throws -> Task<Void, Never>? {
        do {
            return try await connect()
        } catch {
            guard try await service.replays.withdrawReplay(id, reason: "no processor, and no broker: \(error)") else {
                return nil
            }
            throw error
        }
    }

    /// - Parameter isRunHere: takes it up in this process whenever nobody is at it: also where it was cut off, when its lease is over.
    private func ended(_ id: ReplayID, isRunHere: Bool) async throws -> ReplayView {
        while true {
            if isRunHere { _ = try await service.runHere(id) { DeadLetterOutcome.show(progress: $0) } }
            guard let view = try await service.replays.replayView(id) else { throw Self.gone(id) }
            if view.run.state != .running { return view }
            DeadLetterOutcome.show(progress: DeadLetterReport(view.run.counts))
            try await time.sleep(for: Self.pause)
        }
    }

    private static func gone(_ id: ReplayID) -> CommandFailure {
        CommandFailure(.differences, "there is no replay \(id) any more")
    }
}
