import Core

/// Publishing, by a process that may die before the confirm, over a connection that may break before or after the
/// broker has it.
struct FaultInjectingSink: MessageSink {
    let injector: FaultInjector
    let broker: SimulatedBroker
    let time: VirtualTime
    let random: SeededRandom
    let trace: Trace
    let process: Int

    func publish(_ message: Message, to destination: Destination) async throws(SinkError) -> PublishOutcome {
        await injector.pass()
        if injector.life.isOver { throw SinkError(detail: "over") }
        let fate = injector.schedule.publishFate(random)
        try await wait(fate.before)
        if injector.life.isDead, random.happens(0.5) { await injector.pass() }
        if injector.life.isOver { throw SinkError(detail: "over") }
        if case .replies(let queue) = destination { try await findSilent(queue ?? broker.names.repliesQueue, message) }
        var outcome: PublishOutcome?
        switch fate.fault {
        case .lost: break
        case .refused: outcome = .refused
        case .lostConfirm: _ = try send(message, to: destination)
        case nil: outcome = try send(message, to: destination)
        }
        try await wait(fate.after)
        await injector.pass()
        if injector.life.isOver { throw SinkError(detail: "over") }
        guard let outcome else {
            trace.note(.publishFailed, UInt64(process), message, "process \(process) got no confirm")
            throw SinkError(detail: "connection_lost")
        }
        trace.note(.published, UInt64(process), message, "process \(process) to \(destination): \(outcome)")
        return outcome
    }

    /// The first ones wait for their confirm in vain; then it is known. Some of what was sent is in the queue in the end.
    private func findSilent(_ queue: String, _ message: Message) async throws(SinkError) {
        guard broker.isSilent(queue) else { return }
        if random.happens(0.3) {
            try await wait(.seconds(random.number(in: 3...10)))
            await injector.pass()
            if injector.life.isOver { throw SinkError(detail: "over") }
            if random.happens(0.5) { _ = broker.publish(message, exchange: "", routingKey: queue) }
        }
        trace.note(.publishFailed, UInt64(process), message, "process \(process) finds \(queue) silent")
        throw SinkError(.silentDestination, detail: queue)
    }

    private func send(_ message: Message, to destination: Destination) throws(SinkError) -> PublishOutcome? {
        let (exchange, key) = address(of: destination)
        if broker.isUnusable(exchange) {
            trace.note(.publishFailed, UInt64(process), message, "process \(process) finds no \(exchange)")
            throw SinkError(.unusableDestination, detail: exchange)
        }
        let outcome = broker.publish(message, exchange: exchange, routingKey: key)
        // Not mandatory: the broker confirms what nobody listens to.
        if case .event = destination, outcome == .unroutable { return .confirmed }
        return outcome
    }

    private func address(of destination: Destination) -> (exchange: String, key: String) {
        let names = broker.names
        return switch destination {
        case .commands: (names.commandsExchange, "")
        case .replies(let queue): ("", queue ?? names.repliesQueue)
        case .retry(let tier): (names.retryExchange, tier.rawValue)
        case .deadLetters: (names.deadLetters, names.deadLettersKey)
        case .event(let event): (names.eventsExchange, event.routingKey)
        case .sweeps: (names.sweeps, names.sweepsKey)
        }
    }

    private func wait(_ duration: Duration) async throws(SinkError) {
        do throws(CancellationError) { try await time.sleep(for: duration) } catch {
            throw SinkError(detail: "cancelled")
        }
    }
}

/// A delivery in the hands of a process that may die before it acknowledges.
struct FaultInjectingDelivery: Delivery {
    let injector: FaultInjector
    let delivery: any Delivery
    private let process: Int
    private let sharing: SharingWitness
    private let readAt: Duration

    init(_ injector: FaultInjector, _ delivery: any Delivery, of process: Int, _ sharing: SharingWitness) {
        self.injector = injector
        self.delivery = delivery
        self.process = process
        self.sharing = sharing
        readAt = sharing.now
    }

    var message: Message { delivery.message }

    func acknowledge() async {
        await injector.pass()
        guard !injector.life.isOver else { return }
        await delivery.acknowledge()
        if let queue = (delivery as? SimulatedDelivery)?.queue {
            sharing.noteAcknowledgement(queue, by: process, readAt: readAt)
        }
    }

    func reject() async {
        await injector.pass()
        guard !injector.life.isOver else { return }
        await delivery.reject()
    }
}
