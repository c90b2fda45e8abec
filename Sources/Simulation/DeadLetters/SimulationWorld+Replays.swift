import Core

extension SimulationWorld {
    /// An operator replays the oldest dead letters, by a program that may die as any other.
    func operate(limit: Int) {
        let life = newLife()
        let injector = FaultInjector(life: life, random: operators, schedule: schedule) { [time] strike in
            switch strike {
            case .crash: life.kill()
            case .pause(let duration):
                life.pause()
                time.schedule(after: duration) { life.resume() }
            }
        }
        runBeside { await self.replay(limit: limit, injector) }
    }

    /// Replays everything, undisturbed.
    func replayAll() async {
        let injector = FaultInjector(life: newLife(), random: operators, schedule: schedule) { _ in }
        await replay(limit: nil, injector)
    }

    private func replay(limit: Int?, _ injector: FaultInjector) async {
        var filter = DeadLetterFilter()
        filter.states = DeadLetterState.unfinished
        guard let ids = try? await store.deadLetterIDs(.matching(filter, limit: limit)) else { return }
        let replay = DeadLetterReplay(
            store: FaultInjectingStore(
                injector: injector,
                store: store,
                witness: witness,
                order: orderWitness,
                time: time,
                random: operators,
                trace: trace,
                process: 0
            ),
            sink: FaultInjectingSink(
                injector: injector,
                broker: broker,
                time: time,
                random: operators,
                trace: trace,
                process: 0
            ),
            time: FaultInjectingTime(injector: injector, clock: processClock),
            random: identifiers,
            fingerprinter: Self.fingerprinter
        )
        let claim = ReplayClaim(replay: ReplayID(identifiers.identifier(at: processClock.now())), fencingToken: 1)
        var report = DeadLetterReport(selected: ids.count)
        _ = await replay.run(ids, by: "operator", claim, pace: ReplayPace(failureShare: 2), report: &report)
        counting.add(\.replays, report.done)
    }
}
