import Core

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
