import AMQP
import Core
import Synchronization

/// One scenario, from the first command to the last reply.
struct LoadRun: Sendable {
    private let client: LoadClient
    private let scenario: LoadScenario
    private let payments: Int
    private let messages: LoadMessage
    private let clock = ContinuousClock()

    init(
        _ client: LoadClient,
        _ scenario: LoadScenario,
        count: Int,
        customers: Int,
        cardKey: CardPublicKey?
    ) throws(CardKeyProblem) {
        self.client = client
        self.scenario = scenario
        payments = max(count / scenario.steps.count, 1)
        messages = try LoadMessage(
            run: .random(in: 0...(.max >> 16)) << 16,
            customers: customers,
            payments: payments,
            cardKey: cardKey
        )
    }

    func run(_ pace: LoadPace) async throws(AMQPError) -> LoadReport {
        let result: Result<LoadReport, AMQPError>
        let reading = Task { await client.read() }
        do throws(AMQPError) {
            if scenario == .replay { _ = try await send(.window(2_000)) }
            result = .success(try await send(pace))
        } catch {
            result = .failure(error)
        }
        reading.cancel()
        return try result.get()
    }

    private func send(_ pace: LoadPace) async throws(AMQPError) -> LoadReport {
        let started = clock.now
        let samples = Samples()
        do {
            try await withThrowingTaskGroup(of: Void.self) { group in
                for payment in 0..<payments {
                    let planned: ContinuousClock.Instant
                    switch pace {
                    case .window(let most):
                        if payment >= most { try await group.next() }
                        planned = clock.now
                    case .rate(let rate):
                        // What leaves late has waited, too.
                        planned = started + .seconds(1) / Double(rate) * Double(payment)
                        try await Task.sleep(until: planned, clock: clock)
                    }
                    group.addTask { try await pay(payment, from: planned, samples) }
                }
                try await group.waitForAll()
            }
        } catch {
            throw error as? AMQPError ?? AMQPError(.cancelled)
        }
        return LoadReport(scenario, samples.all, elapsed: clock.now - started)
    }

    private func pay(_ payment: Int, from planned: ContinuousClock.Instant, _ samples: Samples) async throws(AMQPError)
    {
        var planned = planned
        for kind in scenario.steps {
            let outcome = try await client.ask { number, replyTo in
                messages.message(kind, of: payment, correlation: number, replyTo: replyTo)
            }
            samples.add(outcome, clock.now - planned)
            guard outcome == .succeeded else { return }
            planned = clock.now
        }
    }
}

/// What was measured so far.
private final class Samples: Sendable {
    private let samples = Mutex<[LoadReport.Sample]>([])

    var all: [LoadReport.Sample] { samples.withLock { $0 } }

    func add(_ outcome: Reply.Outcome?, _ latency: Duration) {
        samples.withLock { $0.append(LoadReport.Sample(outcome: outcome, latency: latency)) }
    }
}
