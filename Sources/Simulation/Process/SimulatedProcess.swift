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
        var task: Task<Void, Never>?
    }

    package let number: Int
    let life = ProcessLife()
    private let readers = CommandReaders()
    private let sharing: SharingWitness
    private let state = Mutex(State())

    /// As what it is known to the others.
    static func member(_ number: Int) -> String { "process \(number)" }

    init(number: Int, _ sharing: SharingWitness) {
        self.number = number
        self.sharing = sharing
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
        let membership = ports.membership(Self.member(number), partitions: partitions)
        await withTaskGroup(of: Void.self) { group in
            group.addTask { await membership.run(onRenewal: self.readers.review) }
            await consume(broker, prefetch: prefetch, partitions: 0..<partitions, ports, context, membership)
            await membership.leave()
            group.cancelAll()
        }
        disconnect()
    }

    private func consume(
        _ broker: SimulatedBroker,
        prefetch: Int,
        partitions: Range<Int>,
        _ ports: ProcessPorts,
        _ context: ProcessorContext,
        _ membership: Membership
    ) async {
        let consumer = ports.consumer(context)
        while !readers.isDraining, (try? await consumer.untilStoreIsAvailable()) != nil {
            guard let connection = broker.connect(), adopt(connection) else {
                try? await ports.time.sleep(for: .seconds(1))
                continue
            }
            readers.begin()
            sharing.noteChange()
            await withDiscardingTaskGroup { group in
                for partition in partitions {
                    group.addTask { await self.read(partition, prefetch, connection, consumer, ports, membership) }
                }
            }
            let wasLost = !connection.isOpen
            connection.close()
            if wasLost { try? await ports.time.sleep(for: .seconds(1)) }
        }
    }

    private func read(
        _ partition: Int,
        _ prefetch: Int,
        _ connection: SimulatedConnection,
        _ consumer: CommandConsumer,
        _ ports: ProcessPorts,
        _ membership: Membership
    ) async {
        await withDiscardingTaskGroup { group in
            while readers.areWanted, connection.isOpen {
                let queue = connection.broker.names.commandsQueue(partition)
                let source = connection.subscribe(
                    queue,
                    prefetch: ports.room(prefetch),
                    cancels: ports.cancelsConsumers
                ) {
                    await ports.receive($0)
                }
                let reading = CommandReading(PartitionShare(membership, partition: partition), prefetch: prefetch)
                group.addTask { await consumer.consume(source, reading, giveBack: { connection.close() }) }
                membership.note(subscribed: partition, true)
                await readers.stopping(reading)
            }
            membership.note(subscribed: partition, false)
            // When one ends, all end.
            readers.stop()
        }
    }

    /// As `DeadLetterSubscription` does it.
    private func ingest(_ broker: SimulatedBroker, _ ports: ProcessPorts, _ context: ProcessorContext) async {
        let ingester = ports.ingester(context)
        while !readers.isDraining, !Task.isCancelled {
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
        while !readers.isDraining, !Task.isCancelled {
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

    private func adopt(_ connection: SimulatedConnection) -> Bool {
        state.withLock { state in
            if readers.isDraining { return false }
            state.connection = connection
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
        readers.drain()
        state.withLock { $0.ticks }?.cancelConsumers()
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
        readers.drain()
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
