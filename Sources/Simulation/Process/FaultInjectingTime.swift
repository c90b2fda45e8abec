import Core

/// The clock of a process that may die while it sleeps.
struct FaultInjectingTime: TimeSource {
    let injector: FaultInjector
    let clock: JumpingTime

    func now() -> Timestamp { clock.now() }

    func uptime() -> Duration { clock.uptime() }

    func sleep(for duration: Duration) async throws(CancellationError) {
        await injector.pass()
        if injector.life.isOver { throw CancellationError() }
        do throws(CancellationError) {
            try await clock.sleep(for: duration)
        } catch {
            await injector.pass()
            throw error
        }
        await injector.pass()
        if injector.life.isOver { throw CancellationError() }
    }
}
