import Core
import Simulation
import Testing

/// The sweeps and the relay over the world of the command tests.
extension World {
    func reconcile(_ breaker: CircuitBreaker? = nil, policy: SweepPolicy = SweepPolicy()) -> ReconcileSweep {
        ReconcileSweep(context(breaker: breaker), store: store, policy: policy, signal: WakeUpSignal())
    }

    func expire(grace: Duration = .seconds(3_600), voids: Bool = false) -> ExpireSweep {
        ExpireSweep(
            context(),
            store: store,
            bank: bank,
            policy: SweepPolicy(),
            grace: grace,
            voidsExpired: voids,
            signal: WakeUpSignal()
        )
    }

    func relay(sink: (any MessageSink)? = nil) -> OutboxRelay {
        OutboxRelay(
            outbox: store,
            sink: sink ?? broker,
            signal: WakeUpSignal(),
            time: time,
            random: random,
            observer: observer
        )
    }

    var events: [String] { broker.messages(.events).compactMap(\.message.type) }

    /// A command whose processor dies at the bank, and whose delivery is gone.
    func leaveBehind(_ kind: OperationKind, key: String, executed: Bool, replyTo: String? = nil) async throws {
        var message = CommandMessage.valid(kind, payment: World.payment, key: key)
        message.replyTo = replyTo
        guard case .command(let command) = CommandDecoder().decode(message) else { return }
        let request = ClaimRequest(
            command: command,
            operationID: OperationID(random.identifier(at: time.now())),
            token: ClaimToken(random.identifier(at: time.now())),
            lease: limits.lease
        )
        guard case .claimed(let claim) = try await store.claim(request), executed,
            let action = BankAction(command.parameters, for: claim.payment)
        else { return }
        _ = await bank.send(
            BankRequest(
                action: action,
                idempotencyKey: claim.operation.bankKey,
                traceparent: nil,
                timeout: limits.bankTimeout
            )
        )
    }
}
