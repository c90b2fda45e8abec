import Core

extension SimulationWorld {
    /// An operator replays the oldest dead letters, by a program that may die as any other.
    func operate(limit: Int) {
        let life = newLife()
        let edge = Mortality(life: life, dice: operators, weather: weather) { [time] strike in
            switch strike {
            case .crash: life.kill()
            case .pause(let duration):
                life.pause()
                time.schedule(after: duration) { life.resume() }
            }
        }
        runBeside { await self.replay(limit: limit, edge) }
    }

    /// Replays everything, undisturbed.
    func replayAll() async {
        let edge = Mortality(life: newLife(), dice: operators, weather: weather) { _ in }
        await replay(limit: nil, edge)
    }

    private func replay(limit: Int?, _ edge: Mortality) async {
        var filter = DeadLetterFilter()
        filter.states = DeadLetterState.unfinished
        guard let ids = try? await store.deadLetterIDs(.matching(filter, limit: limit)) else { return }
        let replay = DeadLetterReplay(
            store: MortalStore(
                edge: edge,
                store: store,
                witness: witness,
                order: orderWitness,
                time: time,
                dice: operators,
                trace: trace,
                process: 0
            ),
            sink: MortalSink(edge: edge, broker: broker, time: time, dice: operators, trace: trace, process: 0),
            time: MortalTime(edge: edge, clock: processClock),
            random: identifiers,
            fingerprinter: Self.fingerprinter
        )
        let claim = ReplayClaim(replay: ReplayID(identifiers.identifier(at: processClock.now())), fence: 1)
        var report = DeadLetterReport(selected: ids.count)
        _ = await replay.run(ids, by: "operator", claim, pace: ReplayPace(failureShare: 2), report: &report)
        counting.add(\.replays, report.done)
    }
}
