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

/// What a run has measured.
struct LoadReport: Sendable {
    struct Sample: Sendable {
        /// `nil`: there was no reply.
        let outcome: Reply.Outcome?
        let latency: Duration
    }

    private let scenario: LoadScenario
    private let seconds: Double
    private let outcomes: [String: Int]
    /// In milliseconds, ascending.
    private let latencies: [Double]

    init(_ scenario: LoadScenario, _ samples: [Sample], elapsed: Duration) {
        self.scenario = scenario
        seconds = elapsed / .seconds(1)
        outcomes = Dictionary(grouping: samples) { $0.outcome?.rawValue ?? "no_reply" }.mapValues(\.count)
        latencies = samples.map { $0.latency / .milliseconds(1) }.sorted()
    }

    var areAllSuccessful: Bool { !latencies.isEmpty && outcomes[Reply.Outcome.succeeded.rawValue] == latencies.count }

    private var rate: Double { Double(latencies.count) / seconds }

    /// The smallest value that so many of a hundred do not exceed (nearest rank).
    private func percentile(_ percent: Double) -> Double {
        guard !latencies.isEmpty else { return 0 }
        let rank = Int((percent / 100 * Double(latencies.count)).rounded(.up))
        return latencies[min(max(rank, 1), latencies.count) - 1]
    }

    /// `{"commands","latency_ms":{"max","p50","p90","p99"},"outcomes","rate","scenario","seconds"}`.
    var json: String {
        let latency = [
            "max": latencies.last ?? 0, "p50": percentile(50), "p90": percentile(90), "p99": percentile(99),
        ]
        return "{\"commands\":\(latencies.count),\"latency_ms\":\(Self.object(latency.mapValues(Self.number))),"
            + "\"outcomes\":\(Self.object(outcomes.mapValues(String.init))),\"rate\":\(Self.number(rate)),"
            + "\"scenario\":\"\(scenario)\",\"seconds\":\(Self.number(seconds))}"
    }

    var text: String {
        let outcomes = outcomes.sorted { $0.key < $1.key }.map { "\($0.value) \($0.key)" }.joined(separator: ", ")
        return "\(scenario): \(latencies.count) commands in \(Self.number(seconds)) s, \(Self.number(rate)) a second "
            + "(\(outcomes)); latency p50 \(Self.number(percentile(50))) ms, p90 \(Self.number(percentile(90))) ms, "
            + "p99 \(Self.number(percentile(99))) ms, max \(Self.number(latencies.last ?? 0)) ms"
    }

    private static func object(_ members: [String: String]) -> String {
        "{" + members.sorted { $0.key < $1.key }.map { "\"\($0.key)\":\($0.value)" }.joined(separator: ",") + "}"
    }

    /// With two decimals.
    private static func number(_ value: Double) -> String {
        let hundredths = Int((value * 100).rounded())
        let fraction = hundredths % 100
        return "\(hundredths / 100).\(fraction < 10 ? "0" : "")\(fraction)"
    }
}
