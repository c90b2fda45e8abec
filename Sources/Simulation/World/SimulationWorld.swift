import Core
import Synchronization

/// One seed: real processors over a broker, a store and a bank in memory, with everything going wrong that the seed's plan
/// says, until the faults stop; then it has to drain, and is judged by a ``Checker``.
package final class SimulationWorld: Sendable {
    package let seed: UInt64
    package let time = VirtualTime()
    package let executor: StepExecutor
    package let faults: FaultPlan
    package let broker: SimulatedBroker
    package let store: InMemoryPaymentStore
    package let bank: InMemoryBank
    let trace: Trace
    let counting = Counting()
    let schedule: FaultSchedule
    let upstream: Upstream
    let processClock: JumpingTime
    let databaseClock: JumpingTime
    let bankClock: JumpingTime
    let operators: SeededRandom
    let horizon: Duration
    let options: SimulationOptions
    let sweeping: SweepSettings
    let witness: SweepWitness
    let orderWitness: OrderWitness
    let newcomers: NewcomerWitness
    let sharing: SharingWitness
    private let slots: Int
    private let prefetch: Int
    private let processRandom: SeededRandom
    private let storeRandom: SeededRandom
    private let brokerRandom: SeededRandom
    private let bankRandom: SeededRandom
    let identifiers: SeededRandom
    private let state = Mutex(State())

    private struct State {
        /// By slot.
        var running: [Int: SimulatedProcess] = [:]
        var all: [SimulatedProcess] = []
        var tasks: [Task<Void, Never>] = []
        var lives: [ProcessLife] = []
        var crashes = 0
        var isClosing = false
        var wrapping: SimulationOptions.Wrapping = { $0 }
    }

    static let partitions = 2
    private static let worstCase = Duration.seconds(17)
    static let fingerprinter = Fingerprinter(secret: Array("secret".utf8))
    /// In this time everything must have been answered, deferred for the last time, or marked as waiting for manual
    /// review.
    static let drainLimit = Duration.seconds(30 * 3_600)
    private static let mostCrashes = 60
    private static let mostHours = 60

    package init(seed: UInt64, options: SimulationOptions = SimulationOptions()) {
        self.seed = seed
        self.options = options
        let plan = SeededRandom(seed: seed, for: .plan)
        let faults = FaultPlan(using: plan, and: options.faults)
        self.faults = faults
        executor = StepExecutor(seed: seed)
        trace = Trace(time: time, isRecording: options.isTracing)
        schedule = FaultSchedule(faults)
        horizon = plan.duration(in: .seconds(20)...(.seconds(240)))
        slots = plan.number(in: 1...3)
        prefetch = plan.one(of: [1, 4, 64])
        // Three machines, three clocks (docs/correctness.md#whose-clock).
        processClock = JumpingTime(time, ahead: plan.one(of: [.zero, .seconds(-1), .seconds(3_600)]))
        databaseClock = JumpingTime(time, ahead: plan.one(of: [.zero, .seconds(2), .seconds(-3_600)]))
        bankClock = JumpingTime(time, ahead: plan.one(of: [.zero, .seconds(-5), .seconds(600)]))
        processRandom = SeededRandom(seed: seed, for: .processes)
        storeRandom = SeededRandom(seed: seed, for: .store)
        brokerRandom = SeededRandom(seed: seed, for: .broker)
        identifiers = SeededRandom(seed: seed, for: .identifiers)
        operators = SeededRandom(seed: seed, for: .operators)
        bankRandom = SeededRandom(seed: seed, for: .questions)
        let names = BrokerNames()
        broker = SimulatedBroker(
            time: time,
            topology: Topology(names: names, partitions: Self.partitions),
            names: names,
            trace: trace,
            deliveryLimit: faults.deliveryLimit
        )
        for queue in Traffic.replyQueues { broker.declare(queue) }
        store = InMemoryPaymentStore(
            clock: databaseClock,
            fingerprinter: Self.fingerprinter,
            checksFencingToken: options.storeChecksFencingToken,
            remembersPast: faults.failover != nil
        )
        bank = Self.bank(faults, clock: bankClock, time: time, seed: seed, schedule, trace)
        sweeping = SweepSettings(using: SeededRandom(seed: seed, for: .sweeps))
        witness = SweepWitness(bankClock: bankClock, grace: sweeping.grace)
        orderWitness = OrderWitness(broker: broker, store: store, isWatching: faults.keepsArrivals)
        broker.watchDeliveries { [orderWitness] in orderWitness.noteArrival(of: $0) }
        newcomers = NewcomerWitness(time: time)
        sharing = SharingWitness(time: time)
        upstream = Upstream(
            broker: broker,
            time: time,
            schedule: schedule,
            random: SeededRandom(seed: seed, for: .publishers)
        )
    }

    private static func bank(
        _ faults: FaultPlan,
        clock: JumpingTime,
        time: VirtualTime,
        seed: UInt64,
        _ schedule: FaultSchedule,
        _ trace: Trace
    ) -> InMemoryBank {
        let random = SeededRandom(seed: seed, for: .bank)
        var configuration = InMemoryBank.Configuration()
        configuration.clock = clock
        configuration.authorizationExpiry = faults.authorizationExpiry
        configuration.worstCase = worstCase
        configuration.behavior = { schedule.bank($0.action.kind, random) }
        configuration.onEffect = { effect in
            trace.note(.bankAnswered, 0, "the bank executes \(effect.operation) \(effect.idempotencyKey): \(effect.id)")
        }
        return InMemoryBank(time: time, random: random, configuration: configuration)
    }

    // MARK: From beginning to end

    /// Runs the seed and judges it.
    package static func run(seed: UInt64, options: SimulationOptions = SimulationOptions()) -> SeedReport {
        let world = SimulationWorld(seed: seed, options: options)
        defer { world.time.stop() }
        do {
            let evidence = try world.executor.run(in: world.time) { await world.live() }
            // Once it has drained, and once more when everything was asked again: the first that is broken tells most.
            let violations = evidence.lazy.map(Checker.judge).first { !$0.isEmpty }
            return world.report(violations ?? [])
        } catch {
            return world.report([Violation(.drains, nil, "the world came to a halt: \(error)")])
        }
    }

    private func live() async -> [Evidence] {
        let wrapping = options.wrap(self)
        state.withLock { $0.wrapping = wrapping }
        let random = SeededRandom(seed: seed, for: .traffic)
        let traffic = Traffic(using: random, horizon: horizon, start: databaseClock.now())
        counting.add(\.commands, traffic.intents.count)
        counting.add(\.duplicates, traffic.duplicates)
        for (at, intent) in traffic.intents { upstream.send(intent, after: at) }
        scheduleTrouble()
        scheduleBadMoments(at: traffic.intents.map(\.at))
        for slot in 0..<slots { start(slot) }
        try? await time.sleep(for: horizon)
        endFaults()
        var evidence = [await drain()]
        let steps: [() async -> Evidence] = sweeping.comeFirst ? [letDaysPass, askAgain] : [askAgain, letDaysPass]
        for step in steps where evidence.last?.hasDrained ?? false {
            evidence.append(await step())
        }
        await close()
        return evidence
    }

    /// The faults stop: everything is up again, and everyone is back.
    private func endFaults() {
        sharing.noteChange()
        trace.note(.phase, 1, "the faults stop")
        schedule.end()
        broker.setDown(false)
        bank.setDown(false)
        newcomers.setDown(false)
        for queue in Traffic.replyQueues { broker.declare(queue) }
        broker.setFull(broker.names.repliesQueue, false)
        for queue in Traffic.replyQueues + [broker.names.repliesQueue] { broker.setSilent(queue, false) }
        for slot in 0..<slots {
            if let process = state.withLock({ $0.running[slot] }), !process.life.isDead {
                process.life.resume()
            } else {
                start(slot)
            }
        }
    }

    /// Once the faults have ended, every command is sent once more and every dead letter is replayed: what is stored
    /// must be the answer.
    private func askAgain() async -> Evidence {
        trace.note(.phase, 2, "everything is asked once more")
        // By then the members must have agreed.
        try? await time.sleep(for: SharingWitness.settling + .seconds(1))
        await replayAll()
        for intent in upstream.sent where intent.sort == .command {
            upstream.send(intent.again("\(intent.id)-again"), after: operators.duration(in: .zero...(.seconds(20))))
        }
        return await drain(isAskedAgain: true)
    }

    /// Hours go by, each of them as a jump of all clocks and a few minutes in which the sweeps run, until nothing is open: what
    /// has lost its card waits for most of a day (docs/correctness.md#lost-keys).
    private func letDaysPass() async -> Evidence {
        trace.note(.phase, 3, "days go by")
        for _ in 0..<Self.mostHours where store.unfinished.everything > 0 {
            for clock in [processClock, databaseClock, bankClock] { clock.jump(by: .seconds(3_600)) }
            sharing.noteChange()
            try? await time.sleep(for: .seconds(150))
        }
        return await drain(everything: true)
    }

    /// - Parameter everything: whether authorizes that wait for their cards must be done with, too.
    private func drain(everything: Bool = false, isAskedAgain: Bool = false) async -> Evidence {
        let start = time.uptime()
        var quiet = 0
        var pause = Duration.seconds(1)
        while time.uptime() - start < Self.drainLimit {
            try? await time.sleep(for: pause)
            pause = min(pause * 1.1, .seconds(60))
            let unfinished = store.unfinished
            let isQuiet =
                broker.backlog == 0 && upstream.isQuiet && (everything ? unfinished.everything : unfinished.now) == 0
            quiet = isQuiet ? quiet + 1 : 0
            // At once, before anybody does anything.
            if quiet == 2 {
                return Evidence(self, hasDrained: true, hasSwept: everything, isAskedAgain: isAskedAgain)
            }
        }
        return Evidence(self, hasDrained: false, hasSwept: everything, isAskedAgain: isAskedAgain)
    }

    private func close() async {
        let (processes, tasks, lives) = state.withLock { state in
            state.isClosing = true
            return (state.all, state.tasks, state.lives)
        }
        for life in lives { life.end() }
        for process in processes { process.end() }
        for process in processes { await process.ended() }
        for task in tasks {
            task.cancel()
            await task.value
        }
        // It may hold on to this world.
        state.withLock { $0.wrapping = { $0 } }
    }

    private func report(_ violations: [Violation]) -> SeedReport {
        var tally = counting.total
        let log = broker.log
        tally.seeds = 1
        tally.steps = executor.steps
        tally.virtualTime = time.uptime()
        tally.redeliveries = log.redeliveries
        tally.deferred = log.deferred
        tally.replies = log.replies.count
        tally.returned = log.returned.count
        tally.deadLetters = log.deadLetters
        tally.bankRequests = bank.requests.count
        tally.bankEffects = bank.ledger.count
        let rows = store.rows
        tally.slots = rows.runs.count
        tally.sweeps = witness.finished.count
        tally.relayed = rows.outbox.count
        tally.events = log.events.count
        tally.expiries = witness.expiries.count
        tally.needsAttention = rows.operations.count { $0.state == .needsAttention }
        tally.possibleOrphans = rows.views.count { view in view.history.contains { $0.cause.contains("orphan") } }
        return SeedReport(
            seed: seed,
            hash: trace.hash,
            faults: faults,
            violations: violations,
            tally: tally,
            lines: trace.lines
        )
    }

    // MARK: Processes

    /// Runs something beside the processes, until the world ends: for what a test puts before the ports.
    package func runBeside(_ work: @escaping @Sendable () async -> Void) {
        let task = Task(executorPreference: executor) { await work() }
        state.withLock { $0.tasks.append(task) }
    }

    /// Of a program that is none of the processors.
    func newLife() -> ProcessLife {
        let life = ProcessLife()
        state.withLock { $0.lives.append(life) }
        return life
    }

    func process(_ slot: Int) -> SimulatedProcess? { state.withLock { $0.running[slot] } }

    var slotCount: Int { slots }

    func start(_ slot: Int) {
        let process: SimulatedProcess? = state.withLock { state in
            guard !state.isClosing, state.running[slot]?.life.isDead ?? true else { return nil }
            let process = SimulatedProcess(number: state.all.count + 1, sharing)
            state.running[slot] = process
            state.all.append(process)
            return process
        }
        guard let process else { return }
        trace.note(.process, UInt64(process.number), "process \(process.number) starts")
        newcomers.noteStart(of: process.number)
        sharing.noteChange()
        let ports = state.withLock { $0.wrapping }(ports(of: process, in: slot))
        process.start(on: executor, broker, partitions: Self.partitions, prefetch: prefetch, ports)
    }

    private func ports(of process: SimulatedProcess, in slot: Int) -> ProcessPorts {
        let injector = FaultInjector(life: process.life, random: processRandom, schedule: schedule) {
            [weak self] strike in
            self?.strike(process, in: slot, strike)
        }
        let number = process.number
        let store = FaultInjectingStore(
            injector: injector,
            store: store,
            witness: witness,
            order: orderWitness,
            time: time,
            random: storeRandom,
            trace: trace,
            process: number
        )
        return ProcessPorts(
            store: store,
            deadLetters: store,
            bank: FaultInjectingBank(
                injector: injector,
                bank: bank,
                random: bankRandom,
                trace: trace,
                process: number,
                newcomers: newcomers,
                onLate: { [counting] in counting.add(\.lateAnswers) }
            ),
            sink: FaultInjectingSink(
                injector: injector,
                broker: broker,
                time: time,
                random: brokerRandom,
                trace: trace,
                process: number
            ),
            time: FaultInjectingTime(injector: injector, clock: processClock),
            random: identifiers,
            observer: counting,
            limits: HandlerLimits(
                bankTimeout: .seconds(15),
                bankWorstCase: Self.worstCase,
                lease: .seconds(37),
                busyAfter: .seconds(120)
            ),
            policy: RetryPolicy(),
            sweeps: sweeping,
            fingerprinter: Self.fingerprinter,
            receive: { [sharing] in FaultInjectingDelivery(injector, $0, of: number, sharing) },
            callsInFlight: { [bank] in bank.callsInFlight(of: number) }
        )
    }

    private func strike(_ process: SimulatedProcess, in slot: Int, _ strike: FaultInjector.Strike) {
        switch strike {
        case .crash:
            let mayCrash = state.withLock { state in
                state.crashes += 1
                return state.crashes <= Self.mostCrashes
            }
            if mayCrash { crash(process, in: slot) }
        case .pause(let duration):
            counting.add(\.pauses)
            trace.note(.process, UInt64(process.number), "process \(process.number) stands still for \(duration)")
            process.life.pause()
            time.schedule(after: duration) { process.life.resume() }
            // The broker gives it up when its heartbeats stay out.
            guard duration > .seconds(20) else { return }
            time.schedule(after: .seconds(20)) { process.disconnect() }
        }
    }

    func crash(_ process: SimulatedProcess, in slot: Int) {
        counting.add(\.crashes)
        trace.note(.process, UInt64(process.number), "process \(process.number) dies")
        process.kill()
        // A machine that is gone says nothing: the broker notices by its heartbeats.
        let noticed = processRandom.happens(0.7) ? Duration.zero : processRandom.duration(in: .zero...(.seconds(15)))
        time.schedule(after: noticed) { process.disconnect() }
        // The kernel closes its connections to the bank at once.
        bank.hangUp(process.number)
        time.schedule(after: processRandom.duration(in: .milliseconds(50)...(.seconds(15)))) { [weak self] in
            self?.start(slot)
        }
    }
}
