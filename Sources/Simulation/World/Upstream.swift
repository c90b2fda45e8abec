import Core
import Synchronization

/// The services that send commands, each until its command is confirmed or it gives up.
final class Upstream: Sendable {
    private struct State {
        var sent: [Intent] = []
        var confirmed: Set<String> = []
        var undecided = 0
    }

    private let broker: SimulatedBroker
    private let time: VirtualTime
    private let schedule: FaultSchedule
    private let random: SeededRandom
    private let state = Mutex(State())

    init(broker: SimulatedBroker, time: VirtualTime, schedule: FaultSchedule, random: SeededRandom) {
        self.broker = broker
        self.time = time
        self.schedule = schedule
        self.random = random
    }

    var sent: [Intent] { state.withLock { $0.sent } }
    var confirmed: Set<String> { state.withLock { $0.confirmed } }

    /// Nobody is still trying.
    var isQuiet: Bool { state.withLock { $0.undecided == 0 } }

    func send(_ intent: Intent, after delay: Duration) {
        state.withLock { state in
            state.sent.append(intent)
            state.undecided += 1
        }
        time.schedule(after: delay) { self.attempt(intent) }
    }

    private func attempt(_ intent: Intent) {
        let isTroubled = schedule.plan.map { random.happens($0.publisherTrouble) } ?? false
        if isTroubled {
            // Lost on the way there, or the confirm on the way back.
            if random.happens(0.5) { _ = publish(intent) }
            if random.happens(0.2) { return state.withLock { $0.undecided -= 1 } }
        } else if publish(intent) == .confirmed {
            return state.withLock { state in
                state.confirmed.insert(intent.id)
                state.undecided -= 1
            }
        }
        time.schedule(after: random.duration(in: .milliseconds(200)...(.seconds(3)))) { self.attempt(intent) }
    }

    private func publish(_ intent: Intent) -> PublishOutcome? {
        broker.publish(intent.message, exchange: broker.names.commandsExchange, routingKey: "")
    }
}
