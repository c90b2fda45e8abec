import Core
import Synchronization

/// One processor: the real consumer on all partitions, subscribed anew whenever its connection is lost.
package final class SimulatedProcess: Sendable {
    private struct State {
        var connection: SimulatedConnection?
        /// Of the ingester of dead letters.
        var deadLetters: SimulatedConnection?
        /// Of the ticks.
        var ticks: SimulatedConnection?
        var isDraining = false
        /// Tells whoever consumes of `isDraining`.
        var onDrain: AsyncStream<Void>.Continuation?
        var task: Task<Void, Never>?
    }

    package let number: Int
    let life = ProcessLife()
    private let state = Mutex(State())

    init(number: Int) {
        self.number = number
    }

    func start(
        on executor: StepExecutor,
        _ broker: SimulatedBroker,
        partitions: Int,
        prefetch: Int,
        _ ports: ProcessPorts
    ) {
        let task = Task(executorPreference: executor) {
            await withTaskGroup(of: Void.self) { group in
                let (context, signal) = (ports.context(ports.breaker()), WakeUpSignal())
                let watch = ports.watch(context)
                await watch.begin()
                group.addTask { await watch.run() }
                group.addTask { await context.lateAnswers.run(context, signal) }
                group.addTask { await self.ingest(broker, ports, context) }
                group.addTask { await self.sweep(broker, ports, context, signal) }
                group.addTask { await ports.relay(signal).run() }
                await self.run(broker, partitions: partitions, prefetch: prefetch, ports, context)
                while ports.callsInFlight() > 0, (try? await ports.time.sleep(for: .milliseconds(100))) != nil {}
                await context.lateAnswers.completed()
                if Task.isCancelled { self.life.leave() }
                group.cancelAll()
            }
            self.life.leave()
        }
        state.withLock { $0.task = task }
    }

    /// As `CommandSubscription` does it.
    private func run(
        _ broker: SimulatedBroker,
        partitions: Int,
        prefetch: Int,
        _ ports: ProcessPorts,
        _ context: ProcessorContext
    ) async {
        let (consumer, breaker) = (ports.consumer(context), context.breaker)
        while !isDraining, (try? await consumer.untilStoreIsAvailable()) != nil,
            let condition = try? await breaker.untilNotOpen()
        {
            let (drained, onDrain) = AsyncStream<Void>.makeStream()
            guard let connection = broker.connect(), adopt(connection, onDrain) else {
                try? await ports.time.sleep(for: .seconds(1))
                continue
            }
            await withTaskGroup(of: Void.self) { group in
                group.addTask {
                    guard (try? await breaker.untilNot(condition)) != nil else { return }
                    await self.letGo(connection, consumer)
                }
                group.addTask {
                    for await _ in drained { await self.letGo(connection, consumer) }
                }
                await withTaskGroup(of: Void.self) { group in
                    for partition in 0..<partitions {
                        let queue = broker.names.commandsQueue(partition)
                        let stream = connection.consume(queue, prefetch: condition == .closed ? prefetch : 1)
                        group.addTask {
                            await consumer.consume(stream.map { await ports.receive($0) }) { connection.close() }
                            // When one ends, all end.
                            connection.cancelConsumers()
                        }
                    }
                }
                group.cancelAll()
            }
            let wasLost = !connection.isOpen
            connection.close()
            if wasLost { try? await ports.time.sleep(for: .seconds(1)) }
        }
        disconnect()
    }

    /// As `ActiveConsumers` does it: what came meanwhile gets its place, too.
    private func letGo(_ connection: SimulatedConnection, _ consumer: CommandConsumer) async {
        if await !consumer.placeHeld() { return connection.close() }
        connection.cancelConsumers()
        if await !consumer.placeHeld() { connection.close() }
    }

    /// As `DeadLetterSubscription` does it.
    private func ingest(_ broker: SimulatedBroker, _ ports: ProcessPorts, _ context: ProcessorContext) async {
        let ingester = ports.ingester(context)
        while !isDraining, !Task.isCancelled {
            if let connection = broker.connect() {
                state.withLock { $0.deadLetters = connection }
                await withTaskGroup(of: Void.self) { group in
                    for queue in [broker.names.deadLetters, broker.names.unrouted] {
                        let isUnrouted = queue == broker.names.unrouted
                        let deadLetters = connection.consume(queue, prefetch: 100).map { delivery in
                            SimulatedDeadLetter(await ports.receive(delivery), isUnrouted: isUnrouted)
                                as any DeadLetterDelivery
                        }
                        group.addTask { await ingester.consume(deadLetters) }
                    }
                    await group.next()
                    group.cancelAll()
                }
                connection.close()
            }
            try? await ports.time.sleep(for: .seconds(1))
        }
    }

    /// As `SweepSubscription` does it.
    private func sweep(
        _ broker: SimulatedBroker,
        _ ports: ProcessPorts,
        _ context: ProcessorContext,
        _ signal: WakeUpSignal
    ) async {
        let consumer = ports.sweeper(context, signal)
        while !isDraining, !Task.isCancelled {
            if let connection = broker.connect() {
                state.withLock { $0.ticks = connection }
                await withTaskGroup(of: Void.self) { group in
                    group.addTask { await ports.ticks().run() }
                    let deliveries = connection.consume(broker.names.sweeps, prefetch: 16)
                    await consumer.consume(deliveries.map { await ports.receive($0) })
                    group.cancelAll()
                }
                connection.close()
            }
            try? await ports.time.sleep(for: .seconds(1))
        }
    }

    private var isDraining: Bool { state.withLock { $0.isDraining } }

    private func adopt(_ connection: SimulatedConnection, _ onDrain: AsyncStream<Void>.Continuation) -> Bool {
        state.withLock { state in
            if state.isDraining { return false }
            (state.connection, state.onDrain) = (connection, onDrain)
            return true
        }
    }

    /// The broker has lost sight of it.
    func disconnect() {
        let connections = state.withLock { state in
            defer { (state.connection, state.deadLetters, state.ticks) = (nil, nil, nil) }
            return [state.connection, state.deadLetters, state.ticks]
        }
        for connection in connections { connection?.close() }
    }

    /// Takes no more deliveries, and ends when what it has is done with.
    func drain() {
        let (ticks, onDrain) = state.withLock { state in
            state.isDraining = true
            return (state.ticks, state.onDrain)
        }
        ticks?.cancelConsumers()
        onDrain?.yield()
    }

    /// What SIGKILL does. The broker notices when `disconnect` is called.
    func kill() {
        life.kill()
    }

    /// What the second SIGTERM does.
    func cancel() {
        state.withLock { $0.task }?.cancel()
    }

    /// Lets go of everything that hangs.
    func end() {
        life.end()
        disconnect()
        state.withLock { $0.isDraining = true }
        cancel()
    }

    /// Waits for it to unwind.
    func ended() async {
        let task = state.withLock { state in
            defer { state.task = nil }
            return state.task
        }
        await task?.value
    }
}
