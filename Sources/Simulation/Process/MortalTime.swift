import Core

/// The clock of a process that may die while it sleeps.
struct MortalTime: TimeSource {
    let edge: Mortality
    let clock: JumpingTime

    func now() -> Timestamp { clock.now() }

    func uptime() -> Duration { clock.uptime() }

    func sleep(for duration: Duration) async throws(CancellationError) {
        await edge.pass()
        if edge.life.isOver { throw CancellationError() }
        do throws(CancellationError) {
            try await clock.sleep(for: duration)
        } catch {
            await edge.pass()
            throw error
        }
        await edge.pass()
        if edge.life.isOver { throw CancellationError() }
    }
}
