import CoreMetrics
import Synchronization

enum PrometheusKind: String, Sendable {
    case counter, gauge, histogram
}

/// One line, or for a histogram one block of lines, of the text format.
protocol PrometheusSeries: AnyObject, Sendable {
    static var kind: PrometheusKind { get }

    func write(name: String, labels: PrometheusRegistry.Labels, to text: inout PrometheusText)
}

final class PrometheusCounter: PrometheusSeries, CounterHandler {
    static var kind: PrometheusKind { .counter }

    private let value = Atomic<Int64>(0)

    func increment(by amount: Int64) {
        guard amount > 0 else { return }
        value.wrappingAdd(amount, ordering: .relaxed)
    }

    func reset() { value.store(0, ordering: .relaxed) }

    var current: Int64 { value.load(ordering: .relaxed) }

    func write(name: String, labels: PrometheusRegistry.Labels, to text: inout PrometheusText) {
        text.sample(name, labels, value: String(current))
    }
}

final class PrometheusGauge: PrometheusSeries, RecorderHandler, MeterHandler {
    static var kind: PrometheusKind { .gauge }

    /// The bits of a Double.
    private let bits = Atomic<UInt64>(0)

    var current: Double { Double(bitPattern: bits.load(ordering: .relaxed)) }

    func record(_ value: Int64) { set(Double(value)) }

    func record(_ value: Double) { set(value) }

    func set(_ value: Int64) { set(Double(value)) }

    func set(_ value: Double) { bits.store(value.bitPattern, ordering: .relaxed) }

    func increment(by amount: Double) {
        var old = bits.load(ordering: .relaxed)
        while true {
            let new = (Double(bitPattern: old) + amount).bitPattern
            let (exchanged, original) = bits.weakCompareExchange(expected: old, desired: new, ordering: .relaxed)
            if exchanged { return }
            old = original
        }
    }

    func decrement(by amount: Double) { increment(by: -amount) }

    func write(name: String, labels: PrometheusRegistry.Labels, to text: inout PrometheusText) {
        text.sample(name, labels, value: PrometheusText.number(Double(bitPattern: bits.load(ordering: .relaxed))))
    }
}

/// Counts values in fixed buckets; durations are in seconds.
final class PrometheusHistogram: PrometheusSeries, TimerHandler, RecorderHandler {
    static var kind: PrometheusKind { .histogram }

    /// Upper bounds: from a command served out of the store to one that waited for the bank's worst case.
    static let bounds: [Double] = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30]

    private struct State {
        /// One more than there are bounds; not cumulated.
        var buckets = [Int64](repeating: 0, count: PrometheusHistogram.bounds.count + 1)
        var sum = 0.0
    }

    private let state = Mutex(State())

    func recordNanoseconds(_ duration: Int64) { record(Double(duration) / 1_000_000_000) }

    func record(_ value: Int64) { record(Double(value)) }

    func record(_ value: Double) {
        let bucket = Self.bounds.firstIndex { value <= $0 } ?? Self.bounds.count
        state.withLock { state in
            state.buckets[bucket] += 1
            state.sum += value
        }
    }

    func write(name: String, labels: PrometheusRegistry.Labels, to text: inout PrometheusText) {
        let (buckets, sum) = state.withLock { ($0.buckets, $0.sum) }
        var count: Int64 = 0
        for (bucket, bound) in zip(buckets, Self.bounds + [.infinity]) {
            count += bucket
            text.sample("\(name)_bucket", labels, bound: PrometheusText.number(bound), value: String(count))
        }
        text.sample("\(name)_sum", labels, value: PrometheusText.number(sum))
        text.sample("\(name)_count", labels, value: String(count))
    }
}
