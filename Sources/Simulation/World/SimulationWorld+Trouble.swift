import Core

extension SimulationWorld {
    /// Everything that happens now and then, at times that the seed gives.
    func scheduleTrouble() {
        every(faults.connectionLoss) { world in
            world.counting.add(\.connectionLosses)
            world.anyProcess?.process.disconnect()
        }
        every(faults.deploy) { $0.deploy() }
        every(faults.brokerOutage) { world in
            world.outage("broker") { world.broker.setDown($0) }
        }
        every(faults.databaseOutage) { world in
            world.outage("database") { world.schedule.setDatabaseDown($0) }
        }
        every(faults.failover) { $0.failOver() }
        every(faults.bankOutage) { $0.bankOutage() }
        every(faults.vanishingReplyQueue) { world in
            let queue = world.operators.one(of: Traffic.replyQueues)
            world.broker.delete(queue)
            world.later(.seconds(1)...(.seconds(30))) { $0.broker.declare(queue) }
        }
        every(faults.fullReplyQueue) { world in
            let queue = world.operators.one(of: Traffic.replyQueues + [world.broker.names.repliesQueue])
            world.broker.setFull(queue, true)
            world.later(.seconds(1)...(.seconds(20))) { $0.broker.setFull(queue, false) }
        }
        every(faults.silentReplyQueue) { world in
            let queue = world.operators.one(of: Traffic.replyQueues + [world.broker.names.repliesQueue])
            world.trace.note(.fault, 6, "\(queue) confirms nothing")
            world.broker.setSilent(queue, true)
            world.later(.seconds(1)...(.seconds(60))) { $0.broker.setSilent(queue, false) }
        }
        every(faults.drift) { world in
            let names = world.broker.names
            let exchange = world.operators.one(of: [
                names.retryExchange, names.deadLetters, names.eventsExchange, names.sweeps, names.commandsExchange, "",
            ])
            world.trace.note(.fault, 5, "the exchange '\(exchange)' is gone")
            world.broker.setUnusable(exchange, true)
            world.later(.seconds(1)...(.seconds(20))) { $0.broker.setUnusable(exchange, false) }
        }
        every(faults.fullListener) { world in
            world.trace.note(.fault, 4, "a listener's queue is full")
            world.broker.setRefusesEvents(true)
            world.later(.seconds(1)...(.seconds(40))) { $0.broker.setRefusesEvents(false) }
        }
        every(faults.clockJump) { world in
            world.counting.add(\.clockJumps)
            let step = world.operators.duration(in: .seconds(-120)...(.seconds(120)))
            world.trace.note(.fault, UInt64(bitPattern: step.microseconds), "a clock jumps by \(step)")
            world.operators.one(of: [world.processClock, world.databaseClock, world.bankClock]).jump(by: step)
        }
        every(faults.operatorReplay) { world in
            // Two operators at once, now and then (docs/correctness.md#replay-is-idempotent).
            for _ in 0..<(world.operators.happens(0.3) ? 2 : 1) { world.operate(limit: 5) }
        }
    }

    /// The primary is gone, and the standby that takes its place has not got its last commits. It has a clock of its own.
    private func failOver() {
        let places = store.places
        let lost = store.forget(commits: operators.one(of: [1, 1, 2, 5, 20, 48]))
        orderWitness.noteFailover(places, store.places)
        counting.add(\.failovers)
        counting.add(\.forgottenRows, lost)
        trace.note(.fault, 3, "the database fails over, and has lost \(lost) rows")
        databaseClock.jump(by: operators.duration(in: .seconds(-3)...(.seconds(3))))
        schedule.setDatabaseDown(true)
        later(.milliseconds(100)...(.seconds(4))) { $0.schedule.setDatabaseDown(false) }
    }

    /// What hits commands while others of their payment are under way: deploys and outages at the time of their arrival.
    ///
    /// - Parameter arrivals: when commands are sent.
    func scheduleBadMoments(at arrivals: [Duration]) {
        for arrival in arrivals where operators.happens(faults.badMoment) {
            let at = arrival + operators.duration(in: .zero...operators.one(of: [.milliseconds(100), .seconds(2)]))
            let isDeploy = operators.happens(0.6)
            time.schedule(after: at) { [weak self] in
                guard let self, self.schedule.plan != nil else { return }
                isDeploy ? self.deploy() : self.bankOutage()
            }
        }
    }

    private func bankOutage() {
        outage("bank") { [weak self] isDown in
            self?.bank.setDown(isDown)
            self?.newcomers.setDown(isDown)
        }
    }

    private func every(_ interval: Duration?, _ action: @escaping @Sendable (SimulationWorld) -> Void) {
        guard let interval else { return }
        var at = operators.duration(in: .zero...interval)
        while at < horizon {
            time.schedule(after: at) { [weak self] in
                guard let self, self.schedule.plan != nil else { return }
                action(self)
            }
            at += operators.duration(in: interval / 5...interval * 2)
        }
    }

    private func later(_ range: ClosedRange<Duration>, _ action: @escaping @Sendable (SimulationWorld) -> Void) {
        time.schedule(after: operators.duration(in: range)) { [weak self] in
            if let self { action(self) }
        }
    }

    private var anyProcess: (slot: Int, process: SimulatedProcess)? {
        let slot = operators.number(in: 0...slotCount - 1)
        return process(slot).map { (slot, $0) }
    }

    private func outage(_ name: String, _ setDown: @escaping @Sendable (Bool) -> Void) {
        counting.add(\.outages)
        trace.note(.fault, 1, "the \(name) is down")
        setDown(true)
        later(.milliseconds(500)...(.seconds(40))) { world in
            world.trace.note(.fault, 2, "the \(name) is up")
            setDown(false)
        }
    }

    /// SIGTERM, the grace, the end; and the next version starts.
    private func deploy() {
        guard let (slot, process) = anyProcess, process.life.isRunning else { return }
        counting.add(\.deploys)
        trace.note(.process, UInt64(process.number), "process \(process.number) is told to stop")
        sharing.noteChange()
        process.drain()
        time.schedule(after: operators.duration(in: .seconds(1)...(.seconds(25)))) { process.cancel() }
        time.schedule(after: .seconds(26)) { [weak self] in
            process.kill()
            process.disconnect()
            self?.bank.hangUp(process.number)
            self?.start(slot)
        }
    }
}
