import Core

/// Publishing, by a process that may die before the confirm, over a connection that may break before or after the broker has it.
struct MortalSink: MessageSink {
    let edge: Mortality
    let broker: SimulatedBroker
    let time: VirtualTime
    let dice: Dice
    let trace: Trace
    let process: Int

    func publish(_ message: Message, to destination: Destination) async throws(SinkError) -> PublishOutcome {
        await edge.pass()
        if edge.life.isOver { throw SinkError(detail: "over") }
        let fate = edge.weather.publishFate(dice)
        try await wait(fate.before)
        if edge.life.isDead, dice.happens(0.5) { await edge.pass() }
        if edge.life.isOver { throw SinkError(detail: "over") }
        var outcome: PublishOutcome?
        switch fate.fault {
        case .lost: break
        case .refused: outcome = .refused
        case .lostConfirm: _ = send(message, to: destination)
        case nil: outcome = send(message, to: destination)
        }
        try await wait(fate.after)
        await edge.pass()
        if edge.life.isOver { throw SinkError(detail: "over") }
        guard let outcome else {
            trace.note(.publishFailed, UInt64(process), message, "process \(process) got no confirm")
            throw SinkError(detail: "connection_lost")
        }
        trace.note(.published, UInt64(process), message, "process \(process) to \(destination): \(outcome)")
        return outcome
    }

    private func send(_ message: Message, to destination: Destination) -> PublishOutcome? {
        let names = broker.names
        return switch destination {
        case .commands: broker.publish(message, exchange: names.commandsExchange, routingKey: "")
        case .replies(let queue): broker.publish(message, exchange: "", routingKey: queue ?? names.repliesQueue)
        case .retry(let tier): broker.publish(message, exchange: names.retryExchange, routingKey: tier.rawValue)
        case .deadLetters:
            broker.publish(message, exchange: names.deadLetters, routingKey: names.deadLettersKey)
        case .event(let event):
            // Not mandatory: the broker confirms what nobody listens to.
            broker.publish(message, exchange: names.eventsExchange, routingKey: event.routingKey)
                .map { $0 == .unroutable ? .confirmed : $0 }
        case .sweeps:
            broker.publish(message, exchange: names.sweeps, routingKey: names.sweepsKey)
        }
    }

    private func wait(_ duration: Duration) async throws(SinkError) {
        do throws(CancellationError) { try await time.sleep(for: duration) } catch {
            throw SinkError(detail: "cancelled")
        }
    }
}
